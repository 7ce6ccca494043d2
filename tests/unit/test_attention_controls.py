"""Figure 2 of the promoter study and its controls, on a tiny model whose tuned weights are known."""

import json

import matplotlib.figure
import numpy as np
import pandas as pd
import pytest
import torch

from nucleotune.attention.controls import CONTROLS, peak_shares, profiles_with_controls
from nucleotune.attention.profile import position_profile
from nucleotune.models.checkpoints import prepare_checkpoint
from nucleotune.models.load import load_model, load_pretrained, save_model
from nucleotune.models.standins import tiny, write_standin
from nucleotune.models.tokenizers import make_tokenizer
from nucleotune.plugins import load_model as load_model_file
from nucleotune.reporting.tables import render_table
from nucleotune.sequence.shuffle import shuffle_sequences
from nucleotune.stages import ROOT
from nucleotune.studies.promoters import figures as drawing
from nucleotune.studies.promoters.tables import TABLES, controls_table

LENGTH, DOWNSTREAM, SEED = 60, 12, 4
LABELS = {0: "low", 1: "high"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Examples, a model directory whose weights were moved away from its checkpoint's, and the two tables."""
    folder = tmp_path_factory.mktemp("controls")
    model = tiny(load_model_file("dnabert-6", [ROOT / "config"])) | {"max_tokens": 64}
    checkpoint = folder / "checkpoint"
    files = write_standin(model, folder / "published", seed=1)
    prepare_checkpoint("stand-in", model, files, checkpoint)
    tuned, _ = load_pretrained(model, checkpoint, seed=2)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in tuned.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.2)
    description = {"model": model, "truncation": "right", "labels": {"0": "low", "1": "high"}}
    save_model(folder / "model", tuned, description, tokenizer=make_tokenizer(model, checkpoint))
    rng = np.random.default_rng(5)
    n = 24
    examples = pd.DataFrame(
        {
            "id": [f"p{i}" for i in range(n)],
            "sequence": ["".join(rng.choice(list("ACGT"), LENGTH)) for _ in range(n)],
            "label": [1, 0, 0] * (n // 3),
        }
    )
    found = profiles_with_controls(
        examples,
        folder / "model",
        checkpoint,
        downstream=DOWNSTREAM,
        seed=SEED,
        resamples=200,
        confidence=0.95,
        device=torch.device("cpu"),
    )
    return examples, folder / "model", checkpoint, *found


def test_controls_are_the_tuned_the_published_and_the_shuffled(run):
    examples, model_dir, checkpoint, table, peaks = run
    tuned, description = load_model(model_dir)
    untuned, _ = load_pretrained(description["model"], checkpoint, seed=SEED)
    tokenizer = make_tokenizer(description["model"], model_dir)
    whole = examples["sequence"].tolist()
    shuffled = list(shuffle_sequences(examples["sequence"], "dinucleotide", SEED))
    given = {
        "tuned": (tuned, whole),
        "not tuned": (untuned, whole),
        "shuffled promoters": (tuned, shuffled),
    }
    assert list(dict.fromkeys(table["control"])) == list(CONTROLS) == list(given)
    means = {}
    for control, (classifier, sequences) in given.items():
        for layers in ("last", "all"):
            values = position_profile(
                classifier.eval(),
                description["model"],
                tokenizer,
                examples["id"].tolist(),
                sequences,
                layers=layers,
            )
            for label in (0, 1):
                chosen = table[(table["control"] == control) & (table["layers"] == layers)]
                chosen = chosen[chosen["label"] == label]
                expected = values[(examples["label"] == label).to_numpy()]
                assert chosen["n"].tolist() == [len(expected)] * LENGTH
                np.testing.assert_allclose(chosen["mean"], expected.mean(axis=0), rtol=1e-4)
                means[control, layers, label] = expected.mean(axis=0)
    for other in ("not tuned", "shuffled promoters"):
        assert not np.allclose(means["tuned", "all", 1], means[other, "all", 1], rtol=1e-3)
    key = ["control", "layers", "label"]
    for row in peaks.to_dict("records"):
        values = np.sort(means[tuple(row[name] for name in key)])[::-1]
        assert row["peak_share"] == pytest.approx(values[:6].sum() / values.sum(), rel=1e-4)
        assert row["ci_low"] <= row["peak_share"] <= row["ci_high"]


def test_positions_count_from_the_tss(run):
    table = run[3]
    for _, rows in table.groupby(["control", "layers", "label"]):
        assert rows["position"].tolist() == list(range(DOWNSTREAM + 1 - LENGTH, DOWNSTREAM + 1))
    # 300 nt of which 50 lie behind the TSS begin 249 nt before it.
    assert 50 + 1 - 300 == -249


def test_attention_at_the_tss_stands_at_position_0(run, monkeypatch):
    examples, model_dir, checkpoint, *_ = run

    def at_tss(classifier, model, tokenizer, ids, sequences, **_):
        values = np.full((len(ids), LENGTH), 0.1)
        values[:, LENGTH - DOWNSTREAM - 1] = 1
        return values

    monkeypatch.setattr("nucleotune.attention.controls.position_profile", at_tss)
    table, peaks = profiles_with_controls(
        examples,
        model_dir,
        checkpoint,
        downstream=DOWNSTREAM,
        seed=SEED,
        resamples=100,
        confidence=0.95,
        device=torch.device("cpu"),
    )
    assert set(table.loc[table["mean"] > 0.9, "position"]) == {0}
    assert peaks["peak_share"].tolist() == pytest.approx([1.5 / 6.9] * len(peaks))


def test_even_attention_has_a_tenth_and_intervals_hold_the_share():
    even = np.full((30, 100), 0.1)
    shares = peak_shares(even, np.arange(30) % 2, resamples=100, confidence=0.9, seed=1)
    assert shares["label"].tolist() == [0, 1] and shares["n"].tolist() == [15, 15]
    np.testing.assert_allclose(shares[["peak_share", "ci_low", "ci_high"]], 0.1)
    rng = np.random.default_rng(0)
    peaked = rng.gamma(2, 1, (40, 100)) * np.where(np.arange(100) < 10, 3, 1)
    peaked[:20, 90:] = np.nan
    peaked[:, 99] = np.nan
    (row,) = peak_shares(peaked, np.ones(40), resamples=500, confidence=0.95, seed=1).to_dict(
        "records"
    )
    means = np.sort(np.nanmean(peaked[:, :99], axis=0))[::-1]
    assert row["peak_share"] == pytest.approx(means[:9].sum() / means.sum())
    assert row["ci_low"] < row["peak_share"] < row["ci_high"] < row["ci_low"] + 0.1


def test_figure_has_a_column_a_control_and_the_classes_by_name(run, tmp_path, monkeypatch):
    table, figures = run[3], []

    def keep(figure, path):
        figures.append(figure)

    monkeypatch.setattr(drawing, "save", keep)
    drawing.profile_figure({"Tiny": table}, LABELS, tmp_path / "figure.svg")
    (figure,) = figures
    assert isinstance(figure, matplotlib.figure.Figure)
    axes = np.array(figure.axes).reshape(2, 3)
    titles = [[one.get_title(loc="left") for one in row] for row in axes]
    assert titles == [
        [f"{control}, {layers}" for control in CONTROLS] for layers in ("last layer", "all layers")
    ]
    legend = [text.get_text() for text in axes[0, 0].get_legend().get_texts()]
    assert legend == ["high", "low"]
    for row, layers in zip(axes, ("last", "all"), strict=True):
        for one, control in zip(row, CONTROLS, strict=True):
            drawn = {line.get_label(): line for line in one.lines}
            assert [line.get_xdata()[0] for line in one.lines if line.get_linestyle() == ":"] == [0]
            assert len(one.collections) == 2, "a band for each class"
            for label, name in LABELS.items():
                chosen = table[
                    (table["control"] == control)
                    & (table["layers"] == layers)
                    & (table["label"] == label)
                ]
                smooth = chosen["mean"].rolling(drawing.WINDOW, center=True, min_periods=1).mean()
                assert drawn[name].get_xdata().tolist() == chosen["position"].tolist()
                np.testing.assert_allclose(drawn[name].get_ydata(), smooth)


def test_table_of_the_controls(run):
    table = controls_table({"Tiny": run[4]}, ["low", "high"])
    assert len(table) == 2 * 3 * 2 and set(table["metric"]) == {"peak_share"}
    assert table[["layers", "control", "class"]].head(2).to_numpy().tolist() == [
        ["last layer", "tuned", "low"],
        ["last layer", "tuned", "high"],
    ]
    assert set(table["n_test"]) == {8, 16} and set(table["status"]) == {"not comparable"}
    html = render_table(table, **TABLES["controls"])
    assert "Share on the top tenth" in html and json.dumps("shuffled promoters")[1:-1] in html
