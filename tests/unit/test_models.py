"""Building, adapting, saving and loading classifiers."""

import json
import os
import stat

import pytest
import safetensors.torch
import torch
from peft import PeftModel
from transformers import AutoTokenizer, BertForSequenceClassification

from nucleotune.errors import InputError
from nucleotune.models.adapters import add_lora, freeze_encoder, head_modules, merge_lora
from nucleotune.models.checkpoints import prepare_checkpoint
from nucleotune.models.load import (
    build_classifier,
    build_masked_lm,
    load_model,
    load_pretrained,
    save_model,
)
from nucleotune.models.spec import check_model
from nucleotune.models.standins import published_tensors, tiny, write_standin
from nucleotune.models.tokenizers import make_tokenizer
from nucleotune.models.weights import weights_digest
from nucleotune.plugins import load_model as load_model_file
from nucleotune.stages import ROOT

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
        "max_tokens": positions,
        "architecture": architecture,
        "lora_targets": ["attention.self.query", "attention.self.value"],
        "parameters": None,
        "licence": "",
        "note": "",
    }
    return model | changes


#: A model file of each family as shipped, with tiny sizes.
STAND_INS = {
    family: tiny(load_model_file(name, [ROOT / "config"]))
    for family, name in (
        ("bert", "dnabert-3"),
        ("esm", "nt-500m-human"),
        ("dnabert2", "dnabert-2"),
    )
}
STAND_INS["dnabert2"]["architecture"]["vocab_size"] = 64
FAMILIES = tuple(STAND_INS)
HIDDEN = 48


def published_weights(family):
    """Tensors of the checkpoint directory: the published ones without the position counter."""
    tensors = published_tensors(STAND_INS[family], seed=1)
    return {k: v for k, v in tensors.items() if not k.endswith("position_ids")}


def make_checkpoint(folder, family, change=None):
    """A checkpoint directory of the stand-in, made from files as they are published; `change` spoils the weights."""
    model = STAND_INS[family]
    folder.mkdir(exist_ok=True)
    files = write_standin(model, folder / f"{family}-published", seed=1)
    if change is not None:
        torch.save(change(published_weights(family)), files["pytorch_model.bin"])
    prepare_checkpoint(family, model, files, folder / family)
    return folder / family


def save(directory, model):
    classifier = build_classifier(model, seed=3)
    save_model(directory, classifier, describe(model), tokenizer=make_tokenizer(model))
    return classifier


def describe(model):
    return {"model": model, "truncation": "left", "labels": {"0": "a", "1": "b"}}


def test_wrong_parameter_count():
    with (
        torch.device("meta"),
        pytest.raises(InputError, match="has .* parameters.*says 6,000"),
    ):
        build_classifier(make_model(parameters=6000), seed=0)


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
    head = head_modules(classifier)
    assert head == ["bert.pooler", "classifier"]
    adapted = add_lora(classifier, targets, rank=2, alpha=4, dropout=0.1, seed=1, trained=head)
    trainable = {name for name, p in adapted.named_parameters() if p.requires_grad}
    whole = {name for name in trainable if "lora_" not in name}
    assert len(whole) == 4 and all("pooler." in n or "classifier." in n for n in whole)
    assert len(trainable - whole) == 2 * 2 * 3
    disturb(adapted)
    ids = torch.randint(5, 69, (3, 10))
    expected = adapted.eval()(input_ids=ids).logits
    merged, _ = merge_lora(adapted)
    assert type(merged) is BertForSequenceClassification
    assert torch.allclose(merged(input_ids=ids).logits, expected, atol=1e-5)
    assert set(merged.state_dict()) == set(build_classifier(make_model(), seed=1).state_dict())


def disturb(module):
    """Add noise to every trainable parameter."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.requires_grad:
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))


@pytest.mark.parametrize("family", FAMILIES)
def test_adapter_and_base_give_the_merged_weights(tmp_path, family):
    """peft itself reads `adapter/` onto the base, however the base's own head was drawn."""
    model = STAND_INS[family]
    checkpoint = make_checkpoint(tmp_path, family)
    classifier, _ = load_pretrained(model, checkpoint, seed=1)
    adapted = add_lora(
        classifier,
        model["lora_targets"],
        rank=2,
        alpha=8,
        dropout=0.1,
        seed=1,
        trained=head_modules(classifier),
    )
    disturb(adapted)
    merged, adapter = merge_lora(adapted)
    for name in ("m", "again"):
        tokenizer = make_tokenizer(model, checkpoint)
        save_model(tmp_path / name, merged, describe(model), tokenizer=tokenizer, adapter=adapter)
    for file in ("adapter_model.safetensors", "adapter_config.json", "nucleotune.json"):
        first, second = (tmp_path / name / "adapter" / file for name in ("m", "again"))
        assert first.read_bytes() == second.read_bytes()
    size = sum(path.stat().st_size for path in (tmp_path / "m" / "adapter").iterdir())
    assert size < (tmp_path / "m" / "model.safetensors").stat().st_size

    base, _ = load_pretrained(model, checkpoint, seed=2)
    rebuilt = PeftModel.from_pretrained(base, tmp_path / "m" / "adapter").merge_and_unload()
    loaded, _ = load_model(tmp_path / "m")
    expected = loaded.state_dict()
    assert all(torch.equal(tensor, expected[k]) for k, tensor in rebuilt.state_dict().items())


@pytest.mark.parametrize(
    ("family", "head"),
    [
        ("bert", ["bert.pooler", "classifier"]),
        ("esm", ["classifier"]),
        ("dnabert2", ["bert.pooler", "classifier"]),
    ],
)
def test_frozen_encoder(family, head):
    classifier = freeze_encoder(build_classifier(STAND_INS[family], seed=1))
    assert head_modules(classifier) == head
    for name, parameter in classifier.named_parameters():
        assert parameter.requires_grad == name.startswith(tuple(f"{part}." for part in head)), name


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
    classifier = save(tmp_path / "m", model)
    loaded, description = load_model(tmp_path / "m")
    assert description == describe(model) and not loaded.training
    assert all(
        torch.equal(a, b) for a, b in zip(classifier.parameters(), loaded.parameters(), strict=True)
    )
    digest = weights_digest(tmp_path / "m")
    save(tmp_path / "m", model)  # replaces, the same bytes
    assert weights_digest(tmp_path / "m") == digest
    umask = os.umask(0)
    os.umask(umask)
    for path in (tmp_path / "m").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask, path


def test_transformers_reads_the_directory(tmp_path):
    model = make_model()
    save(tmp_path / "m", model)
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
    save(tmp_path / "m", model)
    weights = tmp_path / "m" / "model.safetensors"
    whole = safetensors.torch.load_file(weights)
    # A directory that others made lists no digests, by which changes would be found first.
    (tmp_path / "m/nucleotune.json").write_text(json.dumps(describe(model)))

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
    save(tmp_path / "m", model)
    assert json.loads((tmp_path / "m" / "nucleotune.json").read_text())["model"] == model


@pytest.mark.parametrize(
    ("family", "new"),
    [
        ("bert", ["bert.pooler.dense", "classifier"]),
        ("esm", ["classifier.dense", "classifier.out_proj"]),
        ("dnabert2", ["bert.pooler.dense", "classifier"]),
    ],
)
def test_encoder_comes_from_the_checkpoint_and_the_head_from_the_seed(tmp_path, family, new):
    checkpoint = make_checkpoint(tmp_path, family)
    published = published_weights(family)
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    loaded, report = load_pretrained(STAND_INS[family], checkpoint, seed=1)
    assert torch.equal(torch.rand(1), expected), "torch's own random state was disturbed"
    same, _ = load_pretrained(STAND_INS[family], checkpoint, seed=1)
    other, _ = load_pretrained(STAND_INS[family], checkpoint, seed=2)
    prefix = f"{loaded.base_model_prefix}."
    assert report["new"] == sorted(f"{name}.{kind}" for name in new for kind in ("bias", "weight"))
    assert report["ignored"] == sorted(k for k in published if not k.startswith(prefix))
    assert report["ignored"] and report["loaded"] == len(published) - len(report["ignored"])
    assert json.loads(json.dumps(report)) == report
    fresh = build_classifier(STAND_INS[family], seed=1).state_dict()
    for name, tensor in loaded.state_dict().items():
        assert torch.equal(tensor, same.state_dict()[name])
        if name in report["new"]:
            assert torch.equal(tensor, fresh[name])
            assert name.endswith("bias") or not torch.equal(tensor, other.state_dict()[name])
        else:
            assert torch.equal(tensor, published[name]), name


@pytest.mark.parametrize(("family", "lost"), [("bert", ".transform."), ("esm", "lm_head.dense.")])
def test_masked_lm_is_the_published_model(tmp_path, family, lost):
    checkpoint, published = make_checkpoint(tmp_path, family), published_weights(family)
    loaded, report = load_pretrained(STAND_INS[family], checkpoint, seed=1, head="masked_lm")
    assert report == {"loaded": len(published), "new": [], "ignored": []}
    assert all(torch.equal(tensor, published[k]) for k, tensor in loaded.state_dict().items())

    broken = make_checkpoint(
        tmp_path / "b", family, lambda w: {k: v for k, v in w.items() if lost not in k}
    )
    with pytest.raises(InputError, match=rf"missing \(\d\): .*{lost}"):
        load_pretrained(STAND_INS[family], broken, seed=1, head="masked_lm")


def test_dnabert2_has_no_masked_lm():
    with pytest.raises(InputError, match="family 'dnabert2' has no masked_lm head"):
        build_masked_lm(STAND_INS["dnabert2"], seed=1)


def test_tied_weights_count_as_loaded(tmp_path):
    """Of a tied pair, safetensors files hold one."""
    whole = published_weights("bert")
    alone = {k: v for k, v in whole.items() if not k.startswith("cls.predictions.decoder.")}
    assert len(alone) == len(whole) - 2
    checkpoint = make_checkpoint(tmp_path, "bert", lambda weights: alone)
    loaded, report = load_pretrained(STAND_INS["bert"], checkpoint, seed=1, head="masked_lm")
    assert report["new"] == []
    assert all(torch.equal(v, whole[k]) for k, v in loaded.state_dict().items())


def test_bare_encoder(tmp_path):
    """As `BertModel.save_pretrained` writes it: no prefix, a pooler, no head."""
    pooler = {
        "pooler.dense.weight": torch.full((HIDDEN, HIDDEN), 2.0),
        "pooler.dense.bias": torch.ones(HIDDEN),
    }

    def bare(weights):
        return {
            k.removeprefix("bert."): v for k, v in weights.items() if k.startswith("bert.")
        } | pooler

    checkpoint = make_checkpoint(tmp_path, "bert", bare)
    loaded, report = load_pretrained(STAND_INS["bert"], checkpoint, seed=1)
    assert report["new"] == ["classifier.bias", "classifier.weight"] and not report["ignored"]
    assert (loaded.bert.pooler.dense.weight == 2).all()
    lm, _ = load_pretrained(
        STAND_INS["bert"], make_checkpoint_with_pooler(tmp_path), seed=1, head="masked_lm"
    )
    assert not any("pooler" in name for name in lm.state_dict())


def make_checkpoint_with_pooler(tmp_path):
    extra = {
        "bert.pooler.dense.weight": torch.ones(HIDDEN, HIDDEN),
        "bert.pooler.dense.bias": torch.ones(HIDDEN),
        "cls.seq_relationship.weight": torch.ones(2, HIDDEN),
        "cls.seq_relationship.bias": torch.ones(2),
    }
    return make_checkpoint(tmp_path / "pooler", "bert", lambda weights: weights | extra)


def test_esm_without_contact_head_and_with_rotary_counters(tmp_path):
    def change(weights):
        kept = {k: v for k, v in weights.items() if "contact_head" not in k}
        counter = "esm.encoder.layer.0.attention.self.rotary_embeddings.inv_freq"
        return kept | {counter: torch.ones(4)}

    _, report = load_pretrained(STAND_INS["esm"], make_checkpoint(tmp_path, "esm", change), seed=1)
    assert any("contact_head" in name for name in report["new"])
    assert any("inv_freq" in name for name in report["ignored"])


@pytest.mark.parametrize(
    ("family", "change", "message"),
    [
        (
            "bert",
            lambda w: {k: v for k, v in w.items() if "layer.1.attention.self.query" not in k},
            r"bert/model.safetensors: .* missing \(2\): bert.encoder.layer.1.attention.self.query.bias, bert.enc",
        ),
        (
            "dnabert2",
            lambda w: {k: v for k, v in w.items() if "Wqkv" not in k},
            r"missing \(4\): bert.encoder.layer.0.attention.self.Wqkv.bias, ",
        ),
        (
            "esm",
            lambda w: {k: v for k, v in w.items() if "layer" not in k},
            r"missing \(34\): .* and 4 more",
        ),
        (
            "bert",
            lambda w: w | {"bert.encoder.layer.2.output.dense.bias": torch.ones(HIDDEN)},
            r"unexpected \(1\): bert.encoder.layer.2.output.dense.bias",
        ),
        (
            "bert",
            lambda w: w | {"bert.embeddings.position_embeddings.weight": torch.ones(511, HIDDEN)},
            r"of another shape \(1\): bert.embeddings.position_embeddings.weight \(511, 48\) where .* \(512, 48\)",
        ),
    ],
)
def test_weights_that_do_not_fit_the_encoder(tmp_path, family, change, message):
    checkpoint = make_checkpoint(tmp_path, family, change)
    with pytest.raises(InputError, match=message):
        load_pretrained(STAND_INS[family], checkpoint, seed=1)


def test_dnabert2_weights_do_not_pass_for_bert(tmp_path):
    """transformers would give a random encoder and only log it."""
    checkpoint = make_checkpoint(tmp_path, "dnabert2")
    with pytest.raises(
        InputError, match=r"missing \(\d+\): .*query.bias.*unexpected \(\d+\): .*Wqkv"
    ):
        load_pretrained(STAND_INS["bert"], checkpoint, seed=1)


def test_half_precision_weights_become_fp32(tmp_path):
    checkpoint = make_checkpoint(
        tmp_path, "bert", lambda w: {k: v.bfloat16() for k, v in w.items()}
    )
    loaded, _ = load_pretrained(STAND_INS["bert"], checkpoint, seed=1)
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    word = "bert.embeddings.word_embeddings.weight"
    assert torch.equal(
        loaded.state_dict()[word], published_weights("bert")[word].bfloat16().float()
    )


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("adapted", [False, True])
def test_the_head_computes_in_fp32_where_the_encoder_does_not(family, adapted):
    """A bf16 number has 8 bits: scores of confident examples would be the same few hundred numbers, in ties."""
    model, kinds = STAND_INS[family], {"encoder": [], "head": []}
    network = build_classifier(model, seed=1)
    head = head_modules(network)
    if adapted:
        settings = {"rank": 2, "alpha": 2, "dropout": 0.0, "seed": 1, "trained": head}
        network = add_lora(network, model["lora_targets"], **settings)
    for name, part in network.named_modules():
        if isinstance(part, torch.nn.Linear) and "original_module" not in name:
            place = "encoder" if ".encoder." in name else "head"
            note = lambda *call, place=place: kinds[place].append(call[-1].dtype)  # noqa: E731
            part.register_forward_hook(note)
    ids = torch.randint(6, 60, (200, 12), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for _ in range(2):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = network.eval()(input_ids=ids).logits
            assert not torch.is_autocast_enabled("cpu")
    # LoRA adds its update in fp32.
    assert torch.bfloat16 in kinds["encoder"] and set(kinds["head"]) == {torch.float32}
    assert logits.dtype == torch.float32 and len(logits[:, 0].unique()) >= 0.95 * len(ids)


@pytest.mark.parametrize("family", FAMILIES)
def test_attention_maps(family):
    """`eager` gives them, and the same logits as `sdpa`."""
    model = STAND_INS[family]
    eager, sdpa = (
        build_classifier(model, seed=1, attention=kind).eval() for kind in ("eager", "sdpa")
    )
    ids = torch.randint(5, 60, (2, 9))
    seen = eager(input_ids=ids, output_attentions=True)
    assert [tuple(a.shape) for a in seen.attentions] == [(2, 3, 9, 9)] * 2
    assert torch.allclose(seen.attentions[0].sum(-1), torch.ones(2, 3, 9), atol=1e-5)
    assert torch.allclose(seen.logits, sdpa(input_ids=ids).logits, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_saves_and_loads(tmp_path, family):
    model, checkpoint = STAND_INS[family], make_checkpoint(tmp_path, family)
    classifier, _ = load_pretrained(model, checkpoint, seed=1)
    tokenizer = make_tokenizer(model, checkpoint)
    save_model(tmp_path / "m", classifier, describe(model), tokenizer=tokenizer)
    loaded, _ = load_model(tmp_path / "m")
    expected = classifier.state_dict()
    assert all(torch.equal(tensor, expected[k]) for k, tensor in loaded.state_dict().items())
    sequences = ["ACGTACGGTCA", "GGGATTACCAGATTACA"]
    first, second = (
        make_tokenizer(model, directory).encode(["a", "b"], sequences, "right").tokens.tolist()
        for directory in (checkpoint, tmp_path / "m")
    )
    assert first == second


def test_padding_ids():
    found = {f: build_classifier(m, seed=0).config.pad_token_id for f, m in STAND_INS.items()}
    assert found == {"bert": 0, "esm": 1, "dnabert2": 3}


def test_esm_positions_start_behind_the_padding_id():
    """The longest input that the model file allows is the longest that the embedding has rows for."""
    model = STAND_INS["esm"]
    classifier = build_classifier(model, seed=0).eval()
    assert classifier(input_ids=torch.full((1, 1000), 7)).logits.shape == (1, 2)
    with pytest.raises(IndexError):
        classifier(input_ids=torch.full((1, 1001), 7))
    with pytest.raises(InputError, match="max_tokens 1001"):
        build_classifier(model | {"max_tokens": 1001}, seed=0)
