"""Tables and figures of the RBP study, with one protein and with as many as the paper's."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib import image
from scipy.stats import wilcoxon

from nucleotune.errors import InputError
from nucleotune.evaluation.over_sets import compare_over_sets, mean_over_sets
from nucleotune.reporting.tables import render_table
from nucleotune.studies.rbp import attention_figures as rbp_attention_figures
from nucleotune.studies.rbp import figures as rbp_figures
from nucleotune.studies.rbp import tables as rbp
from nucleotune.studies.rbp.attention_figures import (
    best_example,
    region_figure,
    similarity_figure,
    structure_figure,
)
from nucleotune.studies.rbp.figures import auroc_figure
from nucleotune.studies.rbp.findings import gather_findings
from nucleotune.studies.rbp.properties import BOUNDARIES, REGIONS, STRUCTURES
from nucleotune.studies.rbp.texts import FIGURES

PUBLISHED = Path(__file__).parents[2] / "resources" / "published"
BOOTSTRAP = {"resamples": 200, "confidence": 0.95, "seed": 0}
PAPER = 154


@pytest.fixture(scope="module")
def published():
    return pd.read_csv(PUBLISHED / "rbp.tsv", sep="\t")


def datasets(n, comparable=True):
    shared = {"published_as": "rbpsuite", "comparable": comparable, "note": ""}
    return [{"name": f"rbp{i}", "title": f"RBP{i}", **shared} for i in range(n)]


def method(name, published_as=None, kind="baseline"):
    shared = {"comparable": True, "note": ""}
    return {"name": name, "title": name, "kind": kind, "published_as": published_as, **shared}


METHODS = [
    method("bert", "BERT-RBP", "language_model"),
    method("graphprot", "GraphProt"),
    method("ideeps", "iDeepS"),
    method("gc"),
]
#: Mean AUROC of each in the metrics below.
MEANS = {"bert": 0.785, "graphprot": 0.7, "ideeps": 0.6}


def content(auroc):
    value = {"value": auroc, "ci_low": auroc - 0.01, "ci_high": auroc + 0.01}
    found = {"splits": {"test": {"auroc": value}}, "n_test": 6000, "seeds": [1]}
    less = {"test": {"rows": 5000, "auroc": {**value, "value": auroc - 0.1}}}
    return found | {"without_relatives": {"identity": 0.5, "splits": less}}


def make_metrics(n):
    """The last protein has no iDeepS; none has gc."""
    rng = np.random.default_rng(0)
    noise = {name: rng.normal(0, 0.02, n) for name in MEANS}
    metrics = {}
    for i in range(n):
        one = {name: content(m + noise[name][i] - noise[name].mean()) for name, m in MEANS.items()}
        one["gc"] = {"splits": {}, "n_test": None, "seeds": [], "not_run": "no tool"}
        if i == n - 1:
            one.pop("ideeps")
        metrics[f"rbp{i}"] = one
    return metrics


def find(table, **keys):
    for name, value in keys.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


MEAN = "Mean over proteins"


def test_means_stand_beside_the_papers(published):
    both = rbp.rbp_table_auroc(published, make_metrics(PAPER), datasets(PAPER), METHODS, BOOTSTRAP)
    table = both[both["metric"] == "auroc"]
    assert list(table.columns[:3]) == ["dataset", "method", "metric"]
    single = find(table, dataset="RBP3", method="bert")
    assert single["n_test"] == 6000 and single["ci_high"] - single["ci_low"] == pytest.approx(0.02)
    assert single["status"] == "not comparable"
    assert find(table, dataset="RBP3", method="gc")["note"] == "not run: no tool"
    bert = find(table, dataset=MEAN, method="bert")
    assert bert["measured"] == pytest.approx(0.785) and bert["published"] == 0.785
    assert bert["ci_low"] < 0.785 < bert["ci_high"] < 0.79
    assert bert["status"] == "reached"
    assert find(table, dataset=MEAN, method="graphprot")["status"] == "above"
    # One protein is missing: this mean is over others than the paper's.
    missing = find(table, dataset=MEAN, method="ideeps")
    assert (missing["status"], missing["note"]) == (
        "not comparable",
        "153 of 154 proteins, the paper has 154",
    )
    assert find(table, dataset=MEAN, method="gc")["status"] == "not run"
    absent = table[table["dataset"] == f"{MEAN} (as published)"]
    assert set(absent["method"]) == {
        *("iDeepS", "HOCNNLB", "BERT-baseline", "iDeepS (updated, Pan et al. 2020)"),
    }
    assert set(absent["status"]) == {"not run"}
    without = both[both["metric"] == "auroc_without_relatives"]
    assert find(without, dataset="RBP3", method="bert")["n_test"] == 5000
    mean = find(without, dataset=MEAN, method="bert")
    assert mean["measured"] == pytest.approx(0.685) and mean["ci_low"] < 0.685 < mean["ci_high"]
    assert mean["note"] == "without relatives: 154 of 154 proteins"
    render_table(both, **rbp.TABLES["auroc"])


@pytest.mark.parametrize(("n", "comparable"), [(1, True), (3, True), (PAPER, False)])
def test_other_proteins_or_data_are_not_comparable(n, comparable, published):
    described = datasets(n, comparable)
    table = rbp.rbp_table_auroc(published, make_metrics(n), described, METHODS, BOOTSTRAP)
    mean = find(table, dataset=MEAN, method="bert", metric="auroc")
    assert mean["status"] == "not comparable"
    assert len(table[table["dataset"] == f"{MEAN} (as published)"]) == len(published)
    comparison = rbp.rbp_table_comparison(
        published, make_metrics(n), described, METHODS, "bert", BOOTSTRAP
    )
    assert set(comparison["status"]) == {"not comparable"}
    render_table(comparison, **rbp.TABLES["comparison"])


def test_no_number_of_the_paper_stands_beside_other_data(published):
    described = datasets(3)
    described[1]["published_as"] = None
    found = make_metrics(3)
    table = rbp.rbp_table_auroc(published, found, described, METHODS, BOOTSTRAP)
    assert table["published"].isna().all() and "as published" not in "".join(table["dataset"])
    mean = find(table, dataset=MEAN, method="bert", metric="auroc")
    assert (mean["status"], mean["note"]) == ("not comparable", "3 of 3 proteins")
    comparison = rbp.rbp_table_comparison(published, found, described, METHODS, "bert", BOOTSTRAP)
    assert comparison["published"].isna().all()
    assert set(comparison["status"]) == {"not comparable"}
    render_table(table, **rbp.TABLES["auroc"])


def test_comparison_over_proteins(published):
    metrics = make_metrics(PAPER)
    table = rbp.rbp_table_comparison(
        published, metrics, datasets(PAPER), METHODS, "bert", BOOTSTRAP
    )
    assert list(dict.fromkeys(table["against"])) == ["graphprot", "ideeps"]
    difference = find(table, against="graphprot", metric="difference")
    assert difference["measured"] == pytest.approx(0.085)
    assert (difference["published"], difference["status"]) == (0.147, "below")
    wins = find(table, against="graphprot", metric="wins")
    better = sum(
        one["bert"]["splits"]["test"]["auroc"]["value"]
        > one["graphprot"]["splits"]["test"]["auroc"]["value"]
        for one in metrics.values()
    )
    assert (wins["published"], wins["measured"]) == (154, better)
    assert wins["status"] == ("reached" if better == 154 else "below")
    assert find(table, against="ideeps", metric="wins")["status"] == "not comparable"


def test_compare_over_sets_by_hand():
    values = pd.DataFrame(
        {
            "A": [0.9, 0.8, 0.7, 0.6, 0.5, np.nan],
            "B": [0.8, 0.8, 0.75, 0.4, 0.3, 0.1],
            "C": [0.9, 0.8, 0.7, 0.6, 0.5, 0.2],
            "D": [np.nan] * 6,
        }
    )
    table = compare_over_sets(values, "A", resamples=500)
    assert table["against"].tolist() == ["B", "C"]
    b, c = table.to_dict("records")
    assert (b["sets"], b["wins"], b["ties"], b["losses"]) == (5, 3, 1, 1)
    assert b["difference"] == pytest.approx(np.mean([0.1, 0, -0.05, 0.2, 0.2]))
    assert -0.05 <= b["ci_low"] < b["difference"] < b["ci_high"] <= 0.2
    differences = (values["A"] - values["B"])[:5].to_numpy()
    assert b["p"] == pytest.approx(wilcoxon(differences).pvalue)
    assert (c["difference"], c["ties"], c["p"], c["p_holm"]) == (0, 5, 1, 1)
    assert b["p_holm"] == pytest.approx(min(1, 2 * b["p"]))
    with pytest.raises(InputError, match="method 'E' has no values; found A, B, C, D"):
        compare_over_sets(values, "E")


def test_the_bootstrap_draws_sets():
    values = np.random.default_rng(1).normal(0.7, 0.1, 400)
    mean = mean_over_sets(values, resamples=4000)
    half = 1.96 * values.std() / 20
    assert mean["value"] == pytest.approx(values.mean())
    assert mean["ci_high"] - mean["value"] == pytest.approx(half, rel=0.1)
    assert mean_over_sets([0.5]) == {"value": 0.5, "ci_low": None, "ci_high": None}
    with pytest.raises(InputError, match="no data set"):
        mean_over_sets([])


TITLES = {"after": "BERT-RBP", "before": "DNABERT", "scratch": "BERT-baseline"}
KINDS = {"region": REGIONS, "boundary": BOUNDARIES, "structure": STRUCTURES}


def make_findings(n, side=12, seed=0):
    """Numbers as an analysis might give them; of the second protein no 5'UTR was seen often enough."""
    rng = np.random.default_rng(seed)
    summary, heads, curves = [], [], []
    for i in range(n):
        for model in TITLES:
            for level, kinds in KINDS.items():
                for kind in kinds:
                    keys = {"rbp": f"RBP{i}", "model": model, "property": level, "kind": kind}
                    row = keys | {"n": 5000, "n_with": 900, "note": ""}
                    if i == 1 and kind.startswith("5'UTR"):
                        summary.append(row | {"n_with": 2, "note": "2 of 5000 sequences have it"})
                        continue
                    spread = {"after": 0.12, "before": 0.1, "scratch": 0.03}[model]
                    value = rng.normal(1, spread * rng.gamma(4, 0.3), (side, side))
                    layer, head = np.unravel_index(value.argmax(), value.shape)
                    place = {"layer": int(layer), "head": int(head)}
                    row |= place | {"background": 0.2, "cv": value.std(), "highest": value.max()}
                    row["spearman"] = rng.uniform(-0.5, 1)
                    row["similarity"] = {"before": 0.9, "scratch": 0.2}.get(model, np.nan)
                    row["similarity"] += rng.normal(0, 0.05)
                    summary.append(row)
                    layers, columns = np.indices(value.shape)
                    heads.append(
                        pd.DataFrame(
                            keys
                            | {"layer": layers.ravel(), "head": columns.ravel()}
                            | {"value": value.ravel()}
                        )
                    )
                    for chosen in ("own", "loops") if level == "structure" else ("own",):
                        begin = np.arange(15) * 0.2
                        mean = 0.1 + begin / 5 + rng.normal(0, 0.02, 15)
                        curve = {"chosen": chosen, "begin": begin, "end": begin + 0.2, "sd": 0.03}
                        counts = np.where(np.arange(15) == 3, 0, 50)
                        more = {"n": counts, "probability": mean, "mean": mean}
                        curves.append(pd.DataFrame(keys | place | curve | more))
    summary = pd.DataFrame(summary).astype({"layer": "Int64", "head": "Int64"})
    return summary, pd.concat(heads, ignore_index=True), pd.concat(curves, ignore_index=True)


def draw_all(n, folder):
    summary, heads, curves = make_findings(n)
    values = rbp.auroc_by_protein(make_metrics(n), datasets(n), METHODS)
    auroc_figure(values, "bert", folder / "figure2.svg")
    region_figure(
        summary,
        heads,
        curves,
        folder / "figure3.svg",
        titles={name: TITLES[name] for name in ("after", "scratch")},
    )
    similarity_figure(
        summary,
        folder / "figure4.svg",
        titles={name: TITLES[name] for name in ("before", "scratch")},
    )
    structure_figure(
        summary,
        curves,
        None,
        folder / "figure5.svg",
        titles={name: TITLES[name] for name in ("before", "after")},
    )


def test_figures_are_drawn_and_repeatable(tmp_path):
    for folder in ("first", "second"):
        draw_all(2, tmp_path / folder)
    names = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert names == sorted(f"figure{i}.{kind}" for i in (2, 3, 4, 5) for kind in ("svg", "png"))
    for name in names:
        first, second = ((tmp_path / folder / name).read_bytes() for folder in ("first", "second"))
        assert first == second
        if name.endswith("png"):
            pixels = image.imread(tmp_path / "first" / name)
            assert min(pixels.shape[:2]) > 300 and pixels[..., :3].std() > 0.02
    drawn_here = {f"rbp_figure{i}" for i in (2, 3, 4, 5)}
    assert set(FIGURES) == drawn_here | {"rbp_motifs"}


def drawn(monkeypatch, module, draw):
    kept = []
    monkeypatch.setattr(module, "save", lambda figure, path: kept.append(figure))
    draw("unused.svg")
    (figure,) = kept
    return figure


def dots(axes):
    """Offsets of all dots that are there."""
    found = [np.ma.filled(one.get_offsets(), np.nan) for one in axes.collections]
    found = np.concatenate([one for one in found if len(one)])
    return found[np.isfinite(found).all(axis=1)]


def test_figure_2_has_a_dot_a_protein(monkeypatch):
    values = rbp.auroc_by_protein(make_metrics(20), datasets(20), METHODS)
    figure = drawn(monkeypatch, rbp_figures, lambda path: auroc_figure(values, "bert", path))
    violins, graphprot, ideeps = figure.axes
    assert [text.get_text() for text in violins.texts][:2] == ["0.785", "0.700"]
    pairs = dots(graphprot)
    np.testing.assert_allclose(pairs, values[["graphprot", "bert"]])
    assert (graphprot.get_xlabel(), graphprot.get_ylabel()) == ("graphprot", "bert")
    assert len(dots(ideeps)) == 19
    wins = (values["bert"] > values["graphprot"]).sum()
    assert graphprot.texts[0].get_text() == f"{wins} of 20 above"


def test_figure_3_shows_saturated_values_as_numbers(monkeypatch):
    summary, heads, curves = make_findings(3)
    place = summary.index[(summary["model"] == "after") & (summary["kind"] == "3'UTR")][0]
    summary.loc[place, "cv"] = 0.57
    figure = drawn(
        monkeypatch,
        rbp_attention_figures,
        lambda path: region_figure(
            summary, heads, curves, path, titles=TITLES, example=("RBP2", "CDS")
        ),
    )
    panel = figure.axes[1]
    assert panel.get_ylabel() == "3'UTR"
    assert "57" in [text.get_text() for text in panel.texts]
    assert dots(panel)[:, 1].max() == rbp_attention_figures.SATURATED
    assert any("RBP2, CDS" in axes.get_title("left") for axes in figure.axes)
    # Of the second protein no 5'UTR was seen often enough: two proteins are left, of two models.
    assert len(dots(figure.axes[0])) == 4


def test_the_best_example_is_that_of_highest_correlation():
    summary, _, _ = make_findings(3)
    summary = summary[summary["property"] == "region"].copy()
    summary.loc[summary["rbp"].eq("RBP2") & summary["kind"].eq("CDS"), "spearman"] = 1.0
    assert best_example(summary) == ("RBP2", "CDS")
    assert best_example(summary[:0]) is None
    assert best_example(summary.assign(spearman=np.nan)) == ("RBP0", "5'UTR")


def test_nothing_to_show_is_said(tmp_path):
    summary, heads, curves = make_findings(1)
    empty = summary.assign(cv=np.nan, similarity=np.nan)
    region_figure(empty, heads[:0], curves[:0], tmp_path / "3.svg", titles=TITLES)
    similarity_figure(empty, tmp_path / "4.svg", titles=TITLES)
    structure_figure(empty, curves[:0], None, tmp_path / "5.svg", titles=TITLES)
    auroc_figure(pd.DataFrame({"A": [np.nan]}), "A", tmp_path / "2.svg")
    assert len(list(tmp_path.glob("*.png"))) == 4


def test_a_run_without_analyses_has_figures_that_say_so(tmp_path):
    found = gather_findings({})
    region_figure(found.summary, found.heads, found.curves, tmp_path / "3.svg", titles={})
    similarity_figure(found.summary, tmp_path / "4.svg", titles={})
    structure_figure(found.summary, found.curves, None, tmp_path / "5.svg", titles={})
    for number in (3, 4, 5):
        assert "No protein of this run" in (tmp_path / f"{number}.svg").read_text()


def test_figure_5_says_what_folded(monkeypatch):
    summary, _, curves = make_findings(2)
    figure = drawn(
        monkeypatch,
        rbp_attention_figures,
        lambda path: structure_figure(
            summary, curves, "RBP1", path, titles=TITLES, engine="ViennaRNA 2.7, MEA, gamma 3"
        ),
    )
    assert figure.texts[0].get_text() == "Structures: ViennaRNA 2.7, MEA, gamma 3"
    assert "RBP1" in figure.axes[0].texts[0].get_text()
