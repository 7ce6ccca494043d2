"""One way in to explain a model: each kind by its own way, files that come back, and what cannot be explained."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from nucleotune.attribution import explain as explain_module
from nucleotune.attribution.contributions import (
    Explained,
    judge,
    read_contributions,
    summarise,
    write_contributions,
)
from nucleotune.attribution.explain import explain
from nucleotune.attribution.onehot import at_bases, one_hot
from nucleotune.attribution.selection import Chosen, of_class_1, with_most_reads
from nucleotune.errors import InputError
from nucleotune.files import write_json
from nucleotune.models.load import build_classifier, load_model, save_model
from nucleotune.models.profile import build_profile_model, load_profile_model, save_profile_model
from nucleotune.models.tokenizers import make_tokenizer
from nucleotune.profile_contracts import ProfileExamples
from nucleotune.reporting.motifs import summaries_table

LENGTH = 24
BASE = {"title": "tiny", "faithful": False, "lora": None, "adaptation": None}
BPNET = {
    **BASE,
    "network": "bpnet",
    "sizes": {"filters": 6, "layers": 2, "first_kernel": 5, "profile_kernel": 5},
}
ENCODER = {
    **BASE,
    "network": "encoder_conv",
    "adaptation": "frozen",
    "sizes": {"widths": [8]},
}
MODEL = {
    "title": "tiny",
    "family": "bert",
    "tokenizer": {"kind": "kmer", "k": 3},
    "max_tokens": 64,
    "architecture": {
        "vocab_size": 69,
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": 64,
    },
    "parameters": None,
}


@pytest.fixture(scope="module")
def chosen():
    letters = np.random.default_rng(0).choice(list("ACGT"), size=(4, LENGTH))
    sequences = ["".join(row) for row in letters]
    return Chosen([f"gene{i}" for i in range(4)], sequences, np.array([5, -1, 9, 20]))


def sharpened(network, factor=3):
    """Weights of a new network are small; larger ones give it something to say."""
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() > 1:
                parameter.mul_(factor)
    return network


@pytest.fixture(scope="module")
def directories(tmp_path_factory):
    """Model directories by kind."""
    folder = tmp_path_factory.mktemp("models")
    for name, method, model in (("bpnet", BPNET, None), ("encoder", ENCODER, MODEL)):
        built = build_profile_model(method, model, tracks=("a", "b"), length=LENGTH, seed=1)
        sharpened(built.model.network).eval()
        save_profile_model(folder / name, built.model)
    classifier = sharpened(build_classifier(MODEL, seed=1), 10)
    for view in ("transcript", "orf"):
        description = {"model": MODEL, "method": {"view": view}, "truncation": "right"}
        save_model(folder / view, classifier, description, tokenizer=make_tokenizer(MODEL))
    for task, names in (("labels", "ab"), ("classes", "abc")):
        labels = {str(i): name for i, name in enumerate(names)}
        description |= {"task": task, "labels": labels, "method": {"view": "transcript"}}
        other = build_classifier(MODEL, seed=1, outputs=len(names))
        save_model(folder / task, other, description, tokenizer=make_tokenizer(MODEL))
    average = {**BASE, "network": "average", "sizes": {}}
    built = build_profile_model(average, None, tracks=("a",), length=LENGTH, seed=1)
    save_profile_model(folder / "average", built.model)
    return folder


def profile_change(directory, sequence, mutant):
    """Target of the mutant less that of the sequence, with the weights of the sequence, written out."""
    loaded = load_profile_model(directory)
    with torch.no_grad():
        logits = [loaded.network(loaded.inputs([one]))[0][0].double() for one in (sequence, mutant)]
    weights = logits[0].softmax(dim=-1) - 1 / logits[0].shape[-1]
    values = [(weights * one).sum(dim=-1).mean() for one in logits]
    return float(values[1] - values[0])


def logit_change(directory, sequence, mutant):
    classifier, description = load_model(directory)
    tokenizer = make_tokenizer(description["model"], directory)
    ids = tokenizer.encode(["a", "b"], [sequence, mutant], "right").rectangle(np.arange(2))[0]
    with torch.no_grad():
        margins = classifier(input_ids=torch.from_numpy(ids.astype(np.int64))).logits.diff(dim=1)
    return float(margins[1] - margins[0])


@pytest.mark.parametrize(
    ("name", "way", "change"),
    [
        ("bpnet", "DeepLIFT", profile_change),
        ("encoder", "integrated gradients", profile_change),
        ("transcript", "integrated gradients", logit_change),
    ],
)
def test_every_kind_of_model(directories, chosen, name, way, change):
    found = explain(directories / name, chosen, mutated=2, seed=0, device="cpu", threads=1)
    assert found.way == way and found.ids.tolist() == chosen.ids
    assert found.sequences == pytest.approx(one_hot(chosen.sequences))
    assert found.sites.tolist() == chosen.sites.tolist()
    # Contributions of the bases that are there add up to the change of the target.
    assert at_bases(found.hypothetical, found.sequences) == pytest.approx(found.actual, abs=1e-5)
    assert found.actual.sum(axis=1) - found.values == pytest.approx(found.delta, abs=1e-4)
    assert abs(found.values).min() > 1e-3
    assert abs(found.delta).max() < 0.05 * abs(found.values).max()
    # The effect of one substitution, by hand.
    assert len(found.mutated) == 2 and found.effects.shape == (2, LENGTH, 4)
    number = int(found.mutated[1])
    sequence = chosen.sequences[number]
    effects = [
        change(directories / name, sequence, sequence[:10] + base + sequence[11:])
        for base in "ACGT"
    ]
    assert found.effects[1, 10] == pytest.approx(np.array(effects) - np.mean(effects), abs=1e-4)
    assert abs(np.array(effects)).max() > 1e-3


@pytest.mark.parametrize("name", ["bpnet", "encoder", "transcript"])
def test_a_gpu_computes_in_full_fp32(monkeypatch, directories, chosen, name):
    """Under the flags of a GPU run, with which networks are trained: effects would be TF32's rounding."""
    cudnn, found = torch.backends.cudnn, set()

    def on_gpu(device, threads):
        torch.set_float32_matmul_precision("high")
        cudnn.allow_tf32 = True
        return torch.device("cpu")

    def note(*_):
        found.add((torch.get_float32_matmul_precision(), cudnn.allow_tf32))

    monkeypatch.setattr(explain_module, "resolve_device", on_gpu)
    with torch.nn.modules.module.register_module_forward_hook(note):
        explain(directories / name, chosen, mutated=1, seed=1)
    assert found == {("highest", False)}
    assert (torch.get_float32_matmul_precision(), cudnn.allow_tf32) == ("high", True)
    torch.set_float32_matmul_precision("highest")


def test_counts_are_another_target(directories, chosen):
    targets = [
        explain(
            directories / "bpnet", chosen, target=target, mutated=0, seed=0, device="cpu", threads=1
        )
        for target in ("profile", "count")
    ]
    assert abs(targets[0].actual - targets[1].actual).max() > 1e-3
    assert abs(targets[1].delta).max() < 1e-4


def test_what_motifs_are_made_of(directories, chosen):
    part, whole = (
        explain(directories / "encoder", chosen, mutated=n, seed=0, device="cpu", threads=1)
        for n in (2, 99)
    )
    with pytest.raises(InputError, match="only 2 of 4 sequences were mutated"):
        part.for_motifs()
    name, effects = whole.for_motifs()
    assert name == "mutagenesis" and effects.shape == (4, LENGTH, 4)
    assert whole.mutated.tolist() == [0, 1, 2, 3]


def test_file_and_summary(directories, chosen, tmp_path):
    found = explain(directories / "bpnet", chosen, mutated=3, seed=0, device="cpu", threads=1)
    write_contributions(tmp_path / "a" / "contributions.npz", found)
    again = read_contributions(tmp_path / "a" / "contributions.npz")
    assert again.way == found.way
    for name in ("ids", "hypothetical", "effects", "mutated", "delta", "sites"):
        assert (getattr(again, name) == getattr(found, name)).all()
    judged = judge(again)
    assert judged["id"].tolist() == chosen.ids
    assert judged["pearson"].notna().sum() == 3
    number = int(found.mutated[0])
    expected = np.corrcoef(found.actual[number], found.mutation_effects()[0])[0, 1]
    assert judged["pearson"][number] == pytest.approx(expected, abs=1e-5)
    summary = summarise(again, judged, seed=0)
    assert summary["mutated"] == 3 and summary["completeness"]["largest"] < 1e-4
    assert summary["agreement"]["pearson"]["n"] == 3 and summary["motifs_from"] == "DeepLIFT"
    np.savez(tmp_path / "b.npz", ids=np.array(["a"]))
    with pytest.raises(InputError, match="no array way"):
        read_contributions(tmp_path / "b.npz")


def test_without_mutagenesis(directories, chosen):
    found = explain(directories / "transcript", chosen, mutated=0, seed=0, device="cpu", threads=1)
    judged = judge(found)
    assert judged["pearson"].isna().all() and judged["delta"].notna().all()
    assert summarise(found, judged, seed=0)["agreement"] == {"pearson": None, "spearman": None}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("average", "does not look at the sequence"),
        ("orf", "view 'orf'"),
        ("labels", "predicts 2 labels; only models of two classes"),
        ("classes", "predicts 3 classes; only models of two classes"),
    ],
)
def test_what_cannot_be_explained(directories, chosen, name, message):
    with pytest.raises(InputError, match=message):
        explain(directories / name, chosen, mutated=0, seed=0, device="cpu", threads=1)


def test_sequences_must_fit(directories, chosen):
    short = chosen._replace(sequences=[one[:-1] for one in chosen.sequences])
    with pytest.raises(InputError, match="gene0.*23 nt"):
        explain(directories / "bpnet", short, mutated=0, seed=0, device="cpu", threads=1)


def test_chosen_by_reads():
    counts = np.zeros((4, 2, 5), dtype=int)
    counts[0, 0, 1], counts[2, 1, 3], counts[3, 0, 4], counts[3, 1, 4] = 3, 9, 2, 2
    table = pd.DataFrame({"id": list("abcd"), "sequence": ["ACGTA"] * 4})
    chosen = with_most_reads(ProfileExamples(table, counts, ("x", "y")), 2)
    assert chosen.ids == ["c", "d"] and chosen.sites.tolist() == [3, 4]


def test_chosen_by_class(caplog):
    table = pd.DataFrame(
        {
            "id": [str(i) for i in range(20)],
            "sequence": ["ACGTAC"] * 15 + ["ACGT"] * 5,
            "label": [0] * 5 + [1] * 15,
        }
    )
    with caplog.at_level("INFO"):
        chosen = of_class_1(table, 6, seed=0)
    assert len(chosen.ids) == 6 and set(chosen.ids) <= {str(i) for i in range(5, 15)}
    assert chosen.ids == of_class_1(table, 6, seed=0).ids != of_class_1(table, 6, seed=1).ids
    assert "10 of 15 sequences have 6 nt" in caplog.text
    assert len(of_class_1(table, 100, seed=0).ids) == 10
    with pytest.raises(InputError, match="no example of class 1"):
        of_class_1(table.assign(label=0), 5, seed=0)


def test_order_of_fields():
    """`Explained` is made from DeepLIFT's fields in their order."""
    names = list(Explained.__dataclass_fields__)
    assert names[3:7] == ["hypothetical", "actual", "values", "delta"]


def test_a_model_that_says_the_same_of_every_sequence_has_no_relative_completeness(tmp_path):
    judged = pd.DataFrame(
        {"id": ["a", "b"], "value": 0.0, "delta": 0.0, "pearson": np.nan, "spearman": np.nan}
    )
    explained = SimpleNamespace(
        way="DeepLIFT", ids=judged["id"].to_numpy(), mutated=np.array([], int)
    )
    summary = summarise(explained, judged, seed=0)
    assert summary["completeness"] == {"largest": 0.0, "median": 0.0, "relative": None}
    write_json(tmp_path / "summary.json", summary)
    table = summaries_table({("d", "m"): summary}).set_index("metric")
    assert table.loc["delta_relative", "status"] == "not run"
    assert (table["note"] == "the model predicts the same for every sequence").all()
    judged.loc[1, "value"] = np.inf
    with pytest.raises(InputError, match="record 'b': the model's output"):
        summarise(explained, judged, seed=0)
