"""Published parameter counts, reached without any weights: modules without storage, of the model files we ship."""

import pytest
import torch

from nucleotune.models.adapters import add_lora, freeze_encoder, head_modules
from nucleotune.models.heads import BPNet, ConvHead, DilatedHead
from nucleotune.models.load import build_classifier, build_masked_lm
from nucleotune.models.padding import SDPA
from nucleotune.models.weights import count_parameters
from nucleotune.plugins import load_model
from nucleotune.stages import ROOT

QUERY_VALUE = ["attention.self.query", "attention.self.value"]
BERT_HEAD = 768 * 768 + 768 + 2 * 768 + 2  # pooler and classifier
ESM_HEAD = 1280 * 1280 + 1280 + 2 * 1280 + 2


@pytest.fixture(autouse=True)
def meta():
    with torch.device("meta"):
        yield


def shipped(name):
    return load_model(name, [ROOT / "config"])


def counts(*modules):
    found = [count_parameters(module) for module in modules]
    return tuple(sum(each[key] for each in found) for key in ("total", "trainable"))


def with_lora(model, targets, *, rank=8, trained=None, bias="none"):
    trained = head_modules(model) if trained is None else trained
    settings = {"alpha": 2 * rank, "dropout": 0.1, "seed": 0}
    return add_lora(model, targets, rank=rank, bias=bias, trained=trained, **settings)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("lora-bert", 86_906_114),  # vocabulary 100 and 1,536 positions: docs/deviations.md
        ("dnabert-3", 86_095_874),
        ("dnabert-4", 86_243_330),
        ("dnabert-5", 86_833_154),
        ("dnabert-6", 89_192_450),
        ("dnabert-2", 117_070_082),
        ("nt-500m-human", 480_440_803),
        ("specieslm-downstream", 90_269_954),
    ],
)
def test_classifiers(name, parameters):
    model = shipped(name)
    classifier = build_classifier(model | {"parameters": None}, seed=0)
    assert counts(classifier) == (parameters, parameters)
    assert model["parameters"] == parameters
    assert classifier.config._attn_implementation == SDPA


@pytest.mark.parametrize(
    ("vocab_size", "positions", "parameters"),
    [(69, 1538, 86_883_842), (69, 1536, 86_882_306)],
)
def test_lora_bert_with_the_vocabulary_of_its_text(vocab_size, positions, parameters):
    """The text's 69 tokens and 1,536 positions do not give its 86,906,114 parameters."""
    model = shipped("lora-bert")
    sizes = {"vocab_size": vocab_size, "max_position_embeddings": positions}
    changed = model | {"architecture": model["architecture"] | sizes, "parameters": parameters}
    assert counts(build_classifier(changed, seed=0))[0] == parameters


@pytest.mark.parametrize(
    ("name", "targets", "adapter", "head"),
    [
        ("dnabert-3", None, 294_912, BERT_HEAD),
        ("dnabert-6", None, 294_912, BERT_HEAD),
        ("dnabert-2", None, 294_912, BERT_HEAD),
        (
            "dnabert-2",
            ["attention.self.Wqkv", "attention.output.dense", "mlp.wo", "mlp.gated_layers"],
            1_474_560,
            BERT_HEAD,
        ),
        ("nt-500m-human", QUERY_VALUE, 2_625_282 - 1_642_242, ESM_HEAD),
        ("nt-500m-human", None, 6_065_922 - 1_642_242, ESM_HEAD),
    ],
)
def test_lora(name, targets, adapter, head):
    """Rank 8; None: the targets of the model file."""
    model = shipped(name)
    classifier = build_classifier(model, seed=0)
    adapted = with_lora(classifier, targets or model["lora_targets"])
    assert counts(adapted) == (model["parameters"] + adapter, adapter + head)
    matrices = [
        p.numel() for n, p in adapted.named_parameters() if "lora_" in n and p.requires_grad
    ]
    assert sum(matrices) == adapter


def test_nt_lora_counts_as_published():
    classifier = build_classifier(shipped("nt-500m-human"), seed=0)
    assert counts(with_lora(classifier, QUERY_VALUE))[1] == 2_625_282
    classifier = build_classifier(shipped("nt-500m-human"), seed=0)
    assert counts(with_lora(classifier, shipped("nt-500m-human")["lora_targets"]))[1] == 6_065_922


def test_nt_notebook():
    """Rank 1 on query and value: the total it prints holds a second head, peft's copy of the untrained one."""
    adapted = with_lora(build_classifier(shipped("nt-500m-human"), seed=0), QUERY_VALUE, rank=1)
    assert counts(adapted)[0] == 482_205_925 - ESM_HEAD
    assert sum(parameter.numel() for parameter in adapted.parameters()) == 482_205_925


@pytest.mark.parametrize(
    ("name", "head"),
    [("dnabert-3", BERT_HEAD), ("dnabert-2", BERT_HEAD), ("nt-500m-human", ESM_HEAD)],
)
def test_frozen(name, head):
    model = shipped(name)
    classifier = freeze_encoder(build_classifier(model, seed=0))
    assert counts(classifier) == (model["parameters"], head)


def test_masked_lms():
    assert counts(build_masked_lm(shipped("specieslm-downstream"), seed=0))[0] == 90_275_456
    assert counts(build_masked_lm(shipped("nt-500m-human"), seed=0))[0] == 485_699_306


def test_polyadenylation_models():
    """Table 3 of the polyadenylation study: 110 K, 92.5 M (2.4 M trainable), 104 M (13.8 M trainable)."""
    assert counts(BPNet()) == (111_428, 111_428)
    assert counts(BPNet(filters=128, layers=6)) == (320_900, 320_900)

    encoder = build_masked_lm(shipped("specieslm-downstream"), seed=0)
    adapted = with_lora(encoder, QUERY_VALUE, rank=16, trained=(), bias="all")
    assert counts(adapted) == (90_865_280, 699_008)
    assert counts(ConvHead()) == (1_674_884, 1_674_884)
    assert counts(adapted, ConvHead()) == (92_540_164, 2_373_892)

    frozen = build_masked_lm(shipped("specieslm-downstream"), seed=0).requires_grad_(False)
    assert counts(frozen, DilatedHead()) == (104_122_500, 13_847_044)
