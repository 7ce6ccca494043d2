"""Building, adapting, saving and loading classifiers."""

import json
import os
import stat

import pytest
import safetensors.torch
import torch
from transformers import AutoTokenizer, BertForSequenceClassification

from nucleotune.errors import InputError
from nucleotune.models.load import (
    add_lora,
    build_classifier,
    count_parameters,
    load_model,
    save_model,
    weights_digest,
)
from nucleotune.models.spec import check_model
from nucleotune.models.tokenizers import token_letters, tokenize

BERT_BASE = {
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
}
TINY = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
}


def make_model(sizes=TINY, k=3, vocab_size=69, positions=32, **changes):
    architecture = sizes | {"vocab_size": vocab_size, "max_position_embeddings": positions}
    model = {
        "title": "a model",
        "family": "bert",
        "tokenizer": {"kind": "kmer", "k": k},
        "max_tokens": min(positions, 1536),
        "architecture": architecture,
        "lora_targets": ["attention.self.query", "attention.self.value"],
        "parameters": None,
        "licence": "",
        "note": "",
    }
    return model | changes


def describe(model):
    return {"model": model, "truncation": "left", "labels": {"0": "a", "1": "b"}}


@pytest.mark.parametrize(
    ("k", "vocab_size", "positions", "parameters"),
    [
        (3, 100, 1536, 86_906_114),  # LoRA-BERT
        (3, 69, 1538, 86_883_842),
        (3, 69, 512, 86_095_874),  # DNABERT
        (4, 261, 512, 86_243_330),
        (5, 1029, 512, 86_833_154),
        (6, 4101, 512, 89_192_450),
    ],
)
def test_golden_parameter_counts(k, vocab_size, positions, parameters):
    model = make_model(BERT_BASE, k, vocab_size, positions, parameters=parameters)
    with torch.device("meta"):
        classifier = build_classifier(model, seed=0)
    assert count_parameters(classifier) == {"total": parameters, "trainable": parameters}
    assert classifier.config._attn_implementation == "sdpa"


def test_wrong_parameter_count():
    with (
        torch.device("meta"),
        pytest.raises(InputError, match="has 86,906,114 parameters.*says 86,906,115"),
    ):
        build_classifier(make_model(BERT_BASE, 3, 100, 1536, parameters=86_906_115), seed=0)


def test_lora_counts_on_bert_base():
    with torch.device("meta"):
        classifier = build_classifier(make_model(BERT_BASE, 3, 69, 512), seed=0)
        adapted = add_lora(
            classifier,
            ["attention.self.query", "attention.self.value"],
            rank=8,
            alpha=16,
            dropout=0.0,
            seed=0,
        )
    assert count_parameters(adapted)["trainable"] == 294_912 + 2 * 768 + 2


def test_seed_decides_weights_and_nothing_else_changes():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    first, second, other = (build_classifier(make_model(), seed=s).state_dict() for s in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected), "torch's own random state was disturbed"
    assert all(torch.equal(first[k], second[k]) for k in first)
    assert not torch.equal(first["classifier.weight"], other["classifier.weight"])


def test_lora_trains_adapter_and_head_only():
    classifier = build_classifier(make_model(), seed=1)
    targets = ["attention.self.query", "attention.output.dense", "intermediate.dense"]
    adapted = add_lora(classifier, targets, rank=2, alpha=4, dropout=0.1, seed=1)
    trainable = {name for name, p in adapted.named_parameters() if p.requires_grad}
    assert not any("pooler" in name for name in trainable)
    assert any(name.endswith("classifier.modules_to_save.default.weight") for name in trainable)
    assert sum("lora_" in name for name in trainable) == 2 * 2 * 3
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if name in trainable:
                parameter.add_(0.1)
    adapted.eval()
    ids = torch.randint(5, 69, (3, 10))
    expected = adapted(input_ids=ids).logits
    merged = adapted.merge_and_unload()
    assert type(merged) is BertForSequenceClassification
    assert torch.allclose(merged(input_ids=ids).logits, expected, atol=1e-5)
    assert set(merged.state_dict()) == set(build_classifier(make_model(), seed=1).state_dict())


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("dense", "'bert.pooler.dense', outside the encoder layers"),
        ("classifier", "'classifier', outside"),
        (
            "self.qeury",
            "'self.qeury' names no linear module; the model has: attention.output.dense",
        ),
    ],
)
def test_bad_lora_targets(target, message):
    with pytest.raises(InputError, match=message):
        add_lora(
            build_classifier(make_model(), seed=1), [target], rank=2, alpha=4, dropout=0.0, seed=1
        )


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (make_model(k=4), "261 tokens, but architecture.vocab_size is 69"),
        (make_model(max_tokens=33), "max_tokens 33 is more than .* 32"),
        (
            make_model(TINY | {"num_attention_heads": 3}),
            "16 is not a multiple of num_attention_heads 3",
        ),
        (make_model(family="gpt"), "family 'gpt'"),
        (make_model(tokenizer={"kind": "bpe"}), "tokenizer kind 'bpe'"),
    ],
)
def test_fields_that_disagree(model, message):
    with pytest.raises(InputError, match=message):
        check_model(model)


def test_save_and_load(tmp_path):
    model = make_model()
    classifier = build_classifier(model, seed=3)
    save_model(tmp_path / "m", classifier, describe(model))
    loaded, description = load_model(tmp_path / "m")
    assert description == describe(model) and not loaded.training
    assert all(
        torch.equal(a, b) for a, b in zip(classifier.parameters(), loaded.parameters(), strict=True)
    )
    digest = weights_digest(tmp_path / "m")
    save_model(tmp_path / "m", classifier, describe(model))  # replaces, the same bytes
    assert weights_digest(tmp_path / "m") == digest
    umask = os.umask(0)
    os.umask(umask)
    for path in (tmp_path / "m").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask, path


def test_transformers_reads_the_directory(tmp_path):
    model = make_model()
    save_model(tmp_path / "m", build_classifier(model, seed=3), describe(model))
    stock, report = BertForSequenceClassification.from_pretrained(
        tmp_path / "m", output_loading_info=True
    )
    assert not report["missing_keys"] and not report["unexpected_keys"]
    ours, _ = load_model(tmp_path / "m")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "m")
    assert tokenizer("ACG CGT GTA TAC")["input_ids"] == [2, 16, 50, 57, 23, 3]
    ids = torch.tensor([[2, 16, 50, 57, 23, 3]])
    # Not bit by bit: transformers maps the file into memory, and the alignment of weights decides the order of sums.
    assert torch.allclose(stock.eval()(input_ids=ids).logits, ours(input_ids=ids).logits, atol=1e-6)


def test_broken_directories(tmp_path):
    with pytest.raises(InputError, match="no nucleotune.json there"):
        load_model(tmp_path / "nothing")
    model = make_model()
    save_model(tmp_path / "m", build_classifier(model, seed=3), describe(model))
    weights = tmp_path / "m" / "model.safetensors"
    whole = safetensors.torch.load_file(weights)

    safetensors.torch.save_file(
        {k: v for k, v in whole.items() if "layer.1.attention.self" not in k}, weights
    )
    with pytest.raises(
        InputError, match=r"missing \(6\): bert.encoder.layer.1.attention.self.key.bias, "
    ):
        load_model(tmp_path / "m")
    safetensors.torch.save_file(whole | {"extra": torch.ones(1)}, weights)
    with pytest.raises(InputError, match=r"unexpected \(1\): extra"):
        load_model(tmp_path / "m")
    safetensors.torch.save_file(whole | {"classifier.weight": torch.ones(3, 16)}, weights)
    with pytest.raises(InputError, match=r"of another shape \(1\): classifier.weight"):
        load_model(tmp_path / "m")
    weights.write_bytes(safetensors.torch.save(whole)[:-100])
    with pytest.raises(InputError, match="model.safetensors: broken file"):
        load_model(tmp_path / "m")
    weights.unlink()
    with pytest.raises(InputError, match="no model.safetensors there"):
        load_model(tmp_path / "m")


def test_description_is_plain_json(tmp_path):
    model = make_model()
    save_model(tmp_path / "m", build_classifier(model, seed=3), describe(model))
    assert json.loads((tmp_path / "m" / "nucleotune.json").read_text())["model"] == model


def test_tokenize_and_letters():
    model = make_model(max_tokens=6)
    tokenized = tokenize(model, ["a", "b"], ["ACGTAC", "GGGGACGTAC"], "left")
    assert tokenized.tokens.tolist() == [2, 16, 50, 57, 23, 3] * 2
    assert token_letters(model, "GGGGACGTAC", int(tokenized.starts[1]), 1) == "ACG"
