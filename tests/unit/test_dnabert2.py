"""DNABERT-2 against its formulas, its published sizes, and the ways in which the workflow uses it."""

import math

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from scipy.special import erf
from torch.nn.functional import cross_entropy

from nucleotune.models.dnabert2 import (
    DnaBert2Config,
    DnaBert2ForSequenceClassification,
    DnaBert2Model,
    alibi_slopes,
)

#: Press et al. 2022: powers of two in closed form; others filled up from the next higher power, written out by hand.
SLOPES = {
    1: [2**-8],
    3: [2**-4, 2**-8, 2**-2],
    4: [2**-2, 2**-4, 2**-6, 2**-8],
    12: [2.0**-i for i in range(1, 9)] + [2**-0.5, 2**-1.5, 2**-2.5, 2**-3.5],
}
LORA_TARGETS = ["attention.self.Wqkv", "attention.output.dense", "mlp.gated_layers", "mlp.wo"]


@pytest.fixture(autouse=True)
def one_thread():
    """For models as small as these, waiting for a second thread takes longer than the work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def tiny_config(heads=3, **changes):
    sizes = {
        "vocab_size": 32,
        "hidden_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": heads,
        "intermediate_size": 40,
    }
    return DnaBert2Config(**(sizes | changes))


def tiny_classifier(seed=0, **changes):
    """Weights large enough that no term of any formula is small, biases and LayerNorms included."""
    torch.manual_seed(seed)
    classifier = DnaBert2ForSequenceClassification(tiny_config(**changes))
    with torch.no_grad():
        for name, parameter in classifier.named_parameters():
            mean = 1.0 if "layernorm.weight" in name.lower() else 0.0
            parameter.normal_(mean, 0.3)
    return classifier.eval()


def batch(lengths, seed=0, vocabulary=32):
    """Token ids padded on the right, and their mask."""
    rng = np.random.default_rng(seed)
    ids = np.full((len(lengths), max(lengths)), 3)
    mask = np.zeros(ids.shape, dtype=np.int64)
    for row, length in enumerate(lengths):
        ids[row, :length] = rng.integers(5, vocabulary, length)
        mask[row, :length] = 1
    return torch.from_numpy(ids), torch.from_numpy(mask)


def reference(classifier, ids, mask, token_types=None):
    """The formulas, one example, head and query at a time, in float64.

    Returns:
        Logits (examples, labels), pooled [CLS] (examples, hidden), hidden states (layers + 1, examples, tokens,
        hidden) and attention (layers, examples, heads, tokens, tokens).
    """
    config = classifier.config
    w = {name: tensor.double().numpy() for name, tensor in classifier.state_dict().items()}
    heads, size = config.num_attention_heads, config.hidden_size // config.num_attention_heads

    def norm(x, name):
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]

    def dense(x, name):
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    all_logits, all_pooled, all_states, all_attention = [], [], [], []
    for row in range(len(ids)):
        tokens = ids[row].numpy()
        types = np.zeros_like(tokens) if token_types is None else token_types[row].numpy()
        x = norm(
            w["bert.embeddings.word_embeddings.weight"][tokens]
            + w["bert.embeddings.token_type_embeddings.weight"][types],
            "bert.embeddings.LayerNorm",
        )
        masked = -10_000.0 * (1 - mask[row].numpy())
        states, attention = [x], []
        for number in range(config.num_hidden_layers):
            layer = f"bert.encoder.layer.{number}"
            qkv = dense(x, f"{layer}.attention.self.Wqkv")
            context = np.zeros_like(x)
            maps = np.zeros((heads, len(tokens), len(tokens)))
            for head in range(heads):
                columns = slice(head * size, (head + 1) * size)
                q, k, v = (part[:, columns] for part in np.split(qkv, 3, axis=1))
                for i in range(len(tokens)):
                    distance = np.array([abs(i - j) for j in range(len(tokens))])
                    score = k @ q[i] / math.sqrt(size) - SLOPES[heads][head] * distance + masked
                    weight = np.exp(score - score.max())
                    maps[head, i] = weight / weight.sum()
                    context[i, columns] = maps[head, i] @ v
            y = norm(
                x + dense(context, f"{layer}.attention.output.dense"),
                f"{layer}.attention.output.LayerNorm",
            )
            h = y @ w[f"{layer}.mlp.gated_layers.weight"].T
            a, b = h[:, : config.intermediate_size], h[:, config.intermediate_size :]
            gelu = a * 0.5 * (1 + erf(a / math.sqrt(2)))
            x = norm(dense(gelu * b, f"{layer}.mlp.wo") + y, f"{layer}.mlp.layernorm")
            states.append(x)
            attention.append(maps)
        pooled = np.tanh(dense(x[0], "bert.pooler.dense"))
        all_logits.append(dense(pooled, "classifier"))
        all_pooled.append(pooled)
        all_states.append(states)
        all_attention.append(attention)
    return (
        np.array(all_logits),
        np.array(all_pooled),
        np.array(all_states).swapaxes(0, 1),
        np.array(all_attention).swapaxes(0, 1),
    )


def adapt(classifier, targets, rank):
    """`classifier` with LoRA on `targets` and a trainable head."""
    config = LoraConfig(task_type="SEQ_CLS", r=rank, target_modules=targets)
    return get_peft_model(classifier, config)


def size(module):
    return sum(parameter.numel() for parameter in module.parameters())


def difference(found, expected):
    return np.abs(found.detach().numpy() - expected).max()


@pytest.mark.parametrize("heads", SLOPES)
def test_slopes(heads):
    np.testing.assert_allclose(alibi_slopes(heads), SLOPES[heads], rtol=1e-12)


@pytest.mark.parametrize("heads", [1, 3, 4, 12])
def test_equals_reference(heads):
    classifier = tiny_classifier(heads=heads)
    ids, mask = batch([21, 21])
    types = torch.from_numpy(np.random.default_rng(1).integers(0, 2, ids.shape))
    logits, pooled, states, attention = reference(classifier, ids, mask, types)
    with torch.inference_mode():
        found = classifier(
            ids, token_type_ids=types, output_hidden_states=True, output_attentions=True
        )
        plain = classifier(ids, token_type_ids=types)
        bert = classifier.bert(ids, token_type_ids=types)
    assert difference(found.logits, logits) < 1e-5
    assert difference(plain.logits, logits) < 1e-5
    assert difference(bert.last_hidden_state, states[-1]) < 1e-5
    assert difference(bert.pooler_output, pooled) < 1e-5
    assert len(found.hidden_states) == 3 and len(found.attentions) == 2
    for layer, expected in zip(found.hidden_states, states, strict=True):
        assert difference(layer, expected) < 1e-5
    for layer, expected in zip(found.attentions, attention, strict=True):
        assert difference(layer, expected) < 1e-5
    assert plain.hidden_states is None and plain.attentions is None


def test_equals_reference_with_padding():
    classifier = tiny_classifier()
    lengths = [19, 7, 1, 16]
    ids, mask = batch(lengths)
    logits, _, states, attention = reference(classifier, ids, mask)
    with torch.inference_mode():
        fused = classifier(ids, mask, output_hidden_states=True)
        explicit = classifier(ids, mask, output_hidden_states=True, output_attentions=True)
        as_bool = classifier(ids, mask.bool())
    for found in (fused, explicit):
        assert difference(found.logits, logits) < 1e-5
        assert difference(torch.stack(found.hidden_states), states) < 1e-5
    assert torch.equal(as_bool.logits, fused.logits)
    maps = torch.stack(explicit.attentions)
    assert difference(maps, attention) < 1e-5
    torch.testing.assert_close(maps.sum(-1), torch.ones(maps.shape[:-1]))
    for row, length in enumerate(lengths):
        assert (maps[:, row, :, :, length:] == 0).all()
        with torch.inference_mode():
            alone = classifier.bert(ids[row : row + 1, :length])
        padded = fused.hidden_states[-1][row, :length]
        torch.testing.assert_close(padded, alone.last_hidden_state[0], atol=1e-5, rtol=0)


def test_equals_reference_beyond_512_tokens():
    classifier = tiny_classifier(num_hidden_layers=1)
    ids, mask = batch([600, 530])
    logits, _, states, _ = reference(classifier, ids, mask)
    with torch.inference_mode():
        found = classifier(ids, mask, output_hidden_states=True)
    assert difference(found.logits, logits) < 1e-5
    assert difference(torch.stack(found.hidden_states), states) < 1e-5


def test_order_of_tokens_matters():
    # Without ALiBi nothing would tell positions apart, and [CLS] would see a bag of tokens.
    classifier = tiny_classifier()
    ids, _ = batch([20])
    swapped = torch.cat([ids[:, :1], ids[:, 1:].flip(1)], dim=1)
    with torch.inference_mode():
        assert (classifier(ids).logits - classifier(swapped).logits).abs().max() > 1e-3


def test_published_sizes():
    with torch.device("meta"):
        classifier = DnaBert2ForSequenceClassification(DnaBert2Config(num_labels=2))
    assert size(classifier) == 117_070_082
    assert size(classifier.bert) == 117_068_544
    assert size(classifier.bert.embeddings) == 3_148_800
    for layer in classifier.bert.encoder.layer:
        assert size(layer) == 9_444_096


@pytest.mark.parametrize(
    ("targets", "expected"), [(LORA_TARGETS[:1], 294_912), (LORA_TARGETS, 1_474_560)]
)
def test_lora_sizes(targets, expected):
    with torch.device("meta"):
        classifier = DnaBert2ForSequenceClassification(DnaBert2Config())
        adapted = adapt(classifier, targets, rank=8)
    found = {
        name: parameter.numel()
        for name, parameter in adapted.named_parameters()
        if parameter.requires_grad
    }
    head = {name for name in found if "classifier" in name}
    assert sum(found[name] for name in head) == 768 * 2 + 2
    assert sum(n for name, n in found.items() if name not in head) == expected
    assert all("lora_" in name and ".layer." in name for name in found.keys() - head)


def test_published_keys():
    outside = [
        "bert.embeddings.word_embeddings.weight",
        "bert.embeddings.token_type_embeddings.weight",
        "bert.embeddings.LayerNorm.weight",
        "bert.embeddings.LayerNorm.bias",
        "bert.pooler.dense.weight",
        "bert.pooler.dense.bias",
        "classifier.weight",
        "classifier.bias",
    ]
    layer = [
        "attention.self.Wqkv.weight",
        "attention.self.Wqkv.bias",
        "attention.output.dense.weight",
        "attention.output.dense.bias",
        "attention.output.LayerNorm.weight",
        "attention.output.LayerNorm.bias",
        "mlp.gated_layers.weight",
        "mlp.wo.weight",
        "mlp.wo.bias",
        "mlp.layernorm.weight",
        "mlp.layernorm.bias",
    ]
    classifier = tiny_classifier()
    keys = [key for key in classifier.state_dict() if ".layer." not in key]
    assert sorted(keys) == sorted(outside)
    for number in range(2):
        prefix = f"bert.encoder.layer.{number}."
        keys = [key for key in classifier.state_dict() if key.startswith(prefix)]
        assert sorted(keys) == sorted(prefix + name for name in layer)
    # Computing must not add any, such as the bias that is kept.
    classifier(*batch([5]))
    assert len(classifier.state_dict()) == len(outside) + 2 * len(layer)


def test_initial_weights():
    torch.manual_seed(0)
    model = DnaBert2Model(tiny_config(hidden_size=96, initializer_range=0.05))
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            assert (parameter == 0).all(), name
        elif "layernorm" in name.lower():
            assert (parameter == 1).all(), name
        else:
            assert parameter.std().item() == pytest.approx(0.05, rel=0.15), name


def test_kept_bias_serves_every_length_type_and_mode():
    used, ids = tiny_classifier(), batch([40])[0]
    with torch.inference_mode():
        used(ids[:, :17])  # would leave an inference tensor behind, unfit for training
    used(ids[:, :17]).logits.sum().backward()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        used(ids[:, :17])
    for length in (9, 40, 33, 1):
        fresh = tiny_classifier()
        assert torch.equal(used(ids[:, :length]).logits, fresh(ids[:, :length]).logits)
    double = used.double()
    logits, _, _, _ = reference(double, ids, torch.ones_like(ids))
    assert difference(double(ids).logits, logits) < 1e-6


@pytest.mark.parametrize("length", [16, 17, 23])
@pytest.mark.parametrize("padded", [False, True])
def test_bias_is_made_once_in_the_type_and_layout_of_the_fused_kernel(length, padded):
    # Otherwise CUDA's attention would cast or copy it in every layer, or fall back to the slow path.
    model, seen = tiny_classifier().bert, []
    for layer in model.encoder.layer:
        layer.register_forward_pre_hook(lambda _, args: seen.append(args[1]))
    ids, mask = batch([length, length - 4])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        model(ids, mask if padded else None)
    first, second = seen
    assert first is second
    assert first.dtype == torch.bfloat16
    assert first.shape == (2 if padded else 1, 3, length, length)
    assert first.stride(-1) == 1
    assert all(stride % 8 == 0 for stride in first.stride()[:-1])


def test_embeddings_in_place_of_ids():
    classifier = tiny_classifier()
    ids, mask = batch([12, 9])
    words = classifier.get_input_embeddings()(ids)
    expected = classifier(ids, mask).logits
    assert torch.equal(classifier(inputs_embeds=words, attention_mask=mask).logits, expected)
    for arguments in ({}, {"input_ids": ids, "inputs_embeds": words}):
        with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
            classifier(**arguments)


def test_dropout_only_in_training():
    classifier = tiny_classifier(attention_probs_dropout_prob=0.5, hidden_dropout_prob=0.0)
    ids, mask = batch([12, 9])
    expected = classifier(ids, mask).logits
    assert torch.equal(classifier(ids, mask).logits, expected)
    classifier.train()
    for output_attentions in (False, True):
        found = classifier(ids, mask, output_attentions=output_attentions)
        assert (found.logits - expected).abs().max() > 1e-3
    torch.testing.assert_close(found.attentions[0].sum(-1), torch.ones(2, 3, 12))


def gradients(classifier, ids, mask, labels):
    """Gradients of one training step, by name, dropout drawn from a fixed seed."""
    classifier.train()
    classifier.zero_grad()
    torch.manual_seed(7)
    classifier(ids, mask, labels=labels).loss.backward()
    return {n: p.grad.clone() for n, p in classifier.named_parameters() if p.grad is not None}


@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")
@pytest.mark.parametrize("lora", [False, True])
def test_gradient_checkpointing(lora):
    classifier = tiny_classifier()
    calls = []
    classifier.bert.encoder.layer[0].mlp.register_forward_pre_hook(lambda *_: calls.append(1))
    trained = classifier
    if lora:
        trained = adapt(classifier, LORA_TARGETS, rank=2)
    ids, mask = batch([14, 9, 14])
    labels = torch.tensor([0, 1, 1])
    expected = gradients(trained, ids, mask, labels)
    assert len(calls) == 1
    classifier.gradient_checkpointing_enable({"use_reentrant": False})
    found = gradients(trained, ids, mask, labels)
    assert len(calls) == 3  # forward, and once more on the way back
    assert found.keys() == expected.keys()
    assert len(found) == (18 if lora else 30)
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, expected[name], atol=1e-7, rtol=1e-5)
    classifier.gradient_checkpointing_disable()
    gradients(trained, ids, mask, labels)
    assert len(calls) == 4


@pytest.mark.parametrize("output_attentions", [False, True])
def test_autocast(output_attentions):
    classifier = tiny_classifier()
    ids, mask = batch([40, 29])
    with torch.inference_mode():
        expected = classifier(ids, mask).logits
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = classifier(ids, mask, output_attentions=output_attentions).logits
    assert found.dtype == torch.bfloat16
    assert not torch.equal(found.float(), expected)
    torch.testing.assert_close(found.float(), expected, atol=0.05, rtol=0.05)


def test_learns(training_seed):
    torch.manual_seed(training_seed)
    classifier = DnaBert2ForSequenceClassification(tiny_config()).train()
    ids, mask = batch([20] * 8 + [15] * 8)
    labels = torch.arange(16) % 2
    ids[labels == 1, 4:8] = 9  # what tells the labels apart
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=3e-3)
    losses = []
    for _ in range(30):
        loss = classifier(ids, mask, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(math.log(2), abs=0.1)
    assert losses[-1] < 0.1
    logits = classifier.eval()(ids, mask).logits
    assert torch.equal(logits.argmax(1), labels)
    # `loss` is the mean cross-entropy, nothing else.
    torch.testing.assert_close(
        classifier(ids, mask, labels=labels).loss, cross_entropy(logits, labels)
    )


def test_lora_trains_and_merges():
    classifier = tiny_classifier()
    ids, mask = batch([14, 9])
    before = {name: tensor.clone() for name, tensor in classifier.state_dict().items()}
    untouched = classifier(ids, mask).logits
    adapted = adapt(classifier, LORA_TARGETS, rank=2)
    torch.testing.assert_close(adapted.eval()(input_ids=ids, attention_mask=mask).logits, untouched)
    optimizer = torch.optim.SGD([p for p in adapted.parameters() if p.requires_grad], lr=0.1)
    for _ in range(3):
        loss = adapted(input_ids=ids, attention_mask=mask, labels=torch.tensor([0, 1])).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    expected = adapted(input_ids=ids, attention_mask=mask, output_attentions=True)
    assert (expected.logits - untouched).abs().max() > 1e-3
    assert len(expected.attentions) == 2
    merged = adapted.merge_and_unload()
    assert type(merged) is DnaBert2ForSequenceClassification
    torch.testing.assert_close(merged(ids, mask).logits, expected.logits, atol=1e-5, rtol=1e-5)
    after = merged.state_dict()
    assert after.keys() == before.keys()
    changed = {name for name in after if not torch.equal(after[name], before[name])}
    adapted_weights = {
        f"bert.encoder.layer.{n}.{target}.weight" for n in range(2) for target in LORA_TARGETS
    }
    assert changed == adapted_weights | {"classifier.weight", "classifier.bias"}
    copy = tiny_classifier(seed=1)
    copy.load_state_dict(after)
    assert torch.equal(copy(ids, mask).logits, merged(ids, mask).logits)


def test_saved_and_loaded_by_transformers(tmp_path):
    classifier = tiny_classifier()
    classifier.save_pretrained(tmp_path)
    loaded, report = DnaBert2ForSequenceClassification.from_pretrained(
        tmp_path, output_loading_info=True
    )
    assert not any(report.values())
    assert loaded.config.pad_token_id == 3
    ids, mask = batch([14, 9])
    assert torch.equal(loaded(ids, mask).logits, classifier(ids, mask).logits)
