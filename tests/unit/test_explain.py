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
from nucleotune.attribution.ism import centred
from nucleotune.attribution.onehot import at_bases, one_hot
from nucleotune.attribution.selection import Chosen, with_most_reads, with_target
from nucleotune.baselines import fit_predict, saved_baseline
from nucleotune.errors import InputError
from nucleotune.files import write_json
from nucleotune.models.families import FAMILIES
from nucleotune.models.load import build_classifier, load_model, save_model
from nucleotune.models.profile import build_profile_model, load_profile_model, save_profile_model
from nucleotune.models.standins import write_standin
from nucleotune.models.tokenizers import make_tokenizer
from nucleotune.predict import predict
from nucleotune.profile_contracts import ProfileExamples
from nucleotune.reporting.motifs import summaries_table
from nucleotune.sequence.shuffle import shuffle_sequences

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
SIZES = {
    "vocab_size": 69,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
MODEL = {
    "title": "tiny",
    "family": "bert",
    "tokenizer": {"kind": "kmer", "k": 3},
    "max_tokens": 64,
    "architecture": SIZES | {"max_position_embeddings": 64},
    "parameters": None,
}


#: Encoders by tokenizer, and files of a published checkpoint where the tokenizer is read from one.
MODELS = {
    "kmer": (MODEL, None),
    "sixmer": (
        {
            **MODEL,
            "family": "esm",
            "tokenizer": {"kind": "sixmer"},
            "max_tokens": 32,
            "architecture": {**MODEL["architecture"], "vocab_size": 4107},
        },
        None,
    ),
    "bpe": (
        {
            **MODEL,
            "family": "dnabert2",
            "tokenizer": {"kind": "file"},
            "architecture": SIZES | FAMILIES["dnabert2"].defaults,
        },
        ["config.json", "pytorch_model.bin", "tokenizer.json"],
    ),
}
KINDS = {"classes": "abc", "labels": "ab", "numbers": "ab"}
CNN = {
    **{"filters": 8, "kernel": 5, "epochs": 1, "patience": 1, "batch_size": 16},
    "learning_rate": 1e-3,
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
    method = {"view": "transcript", "training": {"micro_batch_tokens": 512}}
    for name, (model, published) in MODELS.items():
        if published:
            files = {"checkpoint": {"files": published}}
            write_standin(model | files, folder / f"{name}-published", seed=1)
        tokenizer = make_tokenizer(model, folder / f"{name}-published")
        for task, names in KINDS.items():
            labels = {str(i): name for i, name in enumerate(names)}
            description = {"model": model, "method": method, "truncation": "right", "task": task}
            description |= {"labels": labels}
            if task == "numbers":
                description["scale"] = {"mean": [3.0, 1.0], "sd": [5.0, 20.0]}
            other = sharpened(build_classifier(model, seed=1, outputs=len(names)), 10)
            save_model(folder / f"{name}-{task}", other, description, tokenizer=tokenizer)
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


def values_of(directory, sequences, task, names, target):
    """What is explained, from the predictions of `predict`: log-odds, or the number."""
    records = [(str(i), sequence) for i, sequence in enumerate(sequences)]
    table = predict(directory, records, device="cpu", threads=1)
    if task == "numbers":
        return table[f"predicted:{target}"].to_numpy()
    if "score" in table:
        names, table = ("", target), table.rename(columns={"score": f"score:{target}"})
        return np.log(table[f"score:{target}"] / (1 - table[f"score:{target}"])).to_numpy()
    shares = np.log(table[[f"score:{name}" for name in names]]).to_numpy()
    number = names.index(target)
    if task == "labels":
        return shares[:, number] - np.log(1 - np.exp(shares[:, number]))
    return shares[:, number] - np.delete(shares, number, axis=1).mean(axis=1)


def check_effects(found, directory, sequences, task, names, target, abs=1e-3):
    """Effects of all substitutions of the first sequence are changes of the predictions."""
    mutants = [
        sequences[0][:place] + base + sequences[0][place + 1 :]
        for place in range(len(sequences[0]))
        for base in "ACGT"
    ]
    values = values_of(directory, mutants, task, names, target).reshape(-1, 4)
    assert found.effects[0] == pytest.approx(centred(values), abs=abs)
    assert np.abs(found.effects[0]).max() > 5 * abs


@pytest.mark.parametrize("task", KINDS)
@pytest.mark.parametrize("tokenizer", MODELS)
def test_every_kind_of_labels_and_tokens(directories, chosen, tokenizer, task):
    names, directory = KINDS[task], directories / f"{tokenizer}-{task}"
    run = {"mutated": 4, "seed": 0, "device": "cpu", "threads": 1}
    found = {target: explain(directory, chosen, target=target, **run) for target in names[:2]}
    for target, one in found.items():
        assert len(one.mutated) == 4
        if tokenizer == "bpe":  # Numbers of tokens differ.
            assert one.way == "mutagenesis"
            assert one.actual == pytest.approx(one.mutation_effects())
            values = values_of(directory, chosen.sequences, task, names, target)
        else:
            assert one.way == "integrated gradients"
            assert abs(one.delta).max() < 0.1 * abs(one.values).max()
            references = shuffle_sequences(
                [s for s in chosen.sequences for _ in range(4)], "dinucleotide", 0
            )
            values = values_of(directory, [*chosen.sequences, *references], task, names, target)
            values = values[:4] - values[4:].reshape(4, 4).mean(axis=1)
        # Numbers are explained without their mean, which is a constant.
        off = one.values - values
        assert off == pytest.approx(np.full(4, off[0]), abs=2e-3)
        check_effects(one, directory, chosen.sequences, task, names, target)
    assert abs(found["a"].effects - found["b"].effects).max() > 1e-2


def test_sequences_with_n_of_a_model_of_sixmers(directories, chosen):
    """A run of letters around N is cut into other tokens."""
    sequences = [chosen.sequences[0][:9] + "N" + chosen.sequences[0][10:], *chosen.sequences[1:]]
    directory = directories / "sixmer-labels"
    found = explain(
        directory,
        chosen._replace(sequences=sequences),
        target="a",
        mutated=0,
        seed=0,
        device="cpu",
        threads=1,
    )
    assert found.way == "mutagenesis" and (found.effects[0, 9] == 0).all()
    values = values_of(directory, [sequences[1], "A" + sequences[1][1:]], "labels", "ab", "a")
    base = "ACGT".index(sequences[1][0])
    assert found.effects[1, 0, 0] - found.effects[1, 0, base] == pytest.approx(
        values[1] - values[0], abs=2e-3
    )


def fitted(folder, baseline, options, task, names):
    """A baseline fitted on sequences with GT at 10 (second class or label, numbers 2 higher) or AG at 4 (third)."""
    generator = np.random.default_rng(5)
    sequences, label = [], np.arange(240) % 3
    for k in label:
        letters = generator.choice(list("ACGT"), LENGTH)
        for number, place, word in ((1, 10, "GT"), (2, 4, "AG")):
            if k == number:
                letters[place : place + 2] = list(word)
        sequences.append("".join(letters))
    columns = {
        "classes": {"label": label if len(names) > 2 else (label == 1) * 1},
        "labels": {"label:a": (label == 1) * 1.0, "label:b": (label == 2) * 1.0},
        "numbers": {"value:a": 2.0 * (label == 1), "value:b": -3.0 * (label == 2)},
    }
    split = np.repeat(["train", "valid", "test"], 80)
    table = pd.DataFrame({"id": map(str, range(240)), "sequence": sequences, "split": split})
    fit_predict(
        baseline,
        table.assign(**columns[task]),
        train_splits=["train"],
        options=options,
        seed=1,
        labels=list(names),
        kind=task,
        output_dir=folder / "model",
    )
    return folder / "model", [one for one, k in zip(sequences, label, strict=True) if k == 1][:4]


@pytest.mark.parametrize(("task", "names"), [*KINDS.items(), ("classes", "no")])
@pytest.mark.parametrize("baseline", ["onehot", "cnn"])
def test_baselines_are_explained_by_substitutions(tmp_path, baseline, task, names):
    options = {"onehot": {"c_grid": [1.0]}, "cnn": {**CNN, "threads": 1}}[baseline]
    directory, sequences = fitted(tmp_path, baseline, options, task, names)
    target = names[1] if task == "classes" else names[0]
    chosen = Chosen(list("wxyz"), sequences, np.full(4, -1))
    found = explain(directory, chosen, target=target, mutated=0, seed=0, threads=1)
    assert found.way == "mutagenesis" and len(found.mutated) == 4
    check_effects(found, directory, sequences, task, names, target, abs=1e-4)
    if baseline == "onehot":  # A convex fit: what was planted is what counts.
        strongest = np.argsort(-found.actual.mean(axis=0))[:2]
        assert sorted(strongest) == [10, 11]
    summary = summarise(found, judge(found), seed=0)
    assert summary["motifs_from"] == "mutagenesis" and summary["completeness"] is None
    table = summaries_table({("d", "m"): summary})
    assert table["metric"].tolist() == ["sequences", "mutated"]
    name, effects = found.for_motifs()
    assert name == "mutagenesis" and effects.shape == (4, LENGTH, 4)


def test_a_baseline_that_does_not_read_sequences(tmp_path):
    with pytest.raises(InputError, match="biotype reads 'gene_biotype', not the sequence"):
        saved_baseline(tmp_path, {"baseline": "biotype"})


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
        ("kmer-labels", "predicts labels, and no target is named; expected a, b"),
        ("kmer-classes", "predicts classes, and no target is named; expected a, b, c"),
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
        chosen = with_target(table, "classes", "nm", "m", 6, seed=0)
    assert len(chosen.ids) == 6 and set(chosen.ids) <= {str(i) for i in range(5, 15)}
    again, other = (with_target(table, "classes", "nm", "m", 6, seed=seed) for seed in (0, 1))
    assert chosen.ids == again.ids != other.ids
    assert "10 of 15 sequences have 6 nt" in caplog.text
    assert len(with_target(table, "classes", "nm", "m", 100, seed=0).ids) == 10
    assert len(with_target(table, "classes", "nm", "n", 100, seed=0).ids) == 5
    with pytest.raises(InputError, match="no example of class 'm' in the split"):
        with_target(table.assign(label=0), "classes", "nm", "m", 5, seed=0)


def test_chosen_by_label_and_number():
    table = pd.DataFrame(
        {
            "id": list("abcd"),
            "sequence": ["ACGT"] * 4,
            "label:x": pd.array([1, 0, None, 1], dtype="Int8"),
            "value:x": [0.5, np.nan, -2.0, 0.0],
        }
    )
    assert with_target(table, "labels", ["x"], "x", 9, seed=0).ids == ["a", "d"]
    assert with_target(table, "numbers", ["x"], "x", 9, seed=0).ids == ["a", "c", "d"]
    with pytest.raises(InputError, match="no example with label 'x'"):
        with_target(table[1:3], "labels", ["x"], "x", 9, seed=0)
    with pytest.raises(InputError, match="no example of known 'x'"):
        with_target(table[1:2], "numbers", ["x"], "x", 9, seed=0)


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
