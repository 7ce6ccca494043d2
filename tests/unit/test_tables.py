"""The table contract, its HTML, and the lncRNA tables built on it."""

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nucleotune.reporting.headlines import headlines
from nucleotune.reporting.tables import (
    COLUMNS,
    long_table,
    render_table,
    row,
    status,
    write_table,
)
from nucleotune.studies.lncrna import tables as lncrna

PUBLISHED = Path(__file__).parents[2] / "resources" / "published"
NAN = float("nan")


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((0.9, 0.91, 0.89, 0.93, True), "reached"),
        ((0.95, 0.91, 0.89, 0.93, True), "below"),
        ((0.85, 0.91, 0.89, 0.93, True), "above"),
        ((0.9, 0.91, 0.89, 0.93, False), "not comparable"),
        ((None, 0.91, 0.89, 0.93, True), "not comparable"),
        ((NAN, 0.91, 0.89, 0.93, True), "not comparable"),
        ((0.9, None, None, None, True), "not run"),
        ((0.9, NAN, NAN, NAN, False), "not run"),
        ((0.169, 0.1693, None, None, True), "reached"),
        ((0.169, 0.1696, NAN, NAN, True), "above"),
        ((1363.0, 1363.4, None, None, True), "reached"),
        ((107976, 107975, None, None, True), "below"),
    ],
)
def test_status(numbers, expected):
    assert status(*numbers) == expected


def contract():
    one, two = {"dataset": "Toy", "method": "A & <b>B</b>"}, {"dataset": "Toy", "method": "CPC2"}
    interval = {"value": 0.91, "ci_low": 0.89, "ci_high": 0.93}
    shared = {"comparable": True, "n_test": 1200, "seeds": 1}
    return long_table(
        [
            row(one, "auroc", 0.9, interval, **shared, note="a note"),
            row(one, "mcc", None, {"value": 0.00001}, **shared, note="a note"),
            row(one, "recall", 0.95, interval, **shared),
            row(two, "auroc", 0.911, None, comparable=True),
        ],
        ["dataset", "method"],
    )


def write(tmp_path, table):
    write_table(tmp_path / "t.tsv", tmp_path / "t.html", table, "Title", "Caption.", {"mcc": "MCC"})
    return (tmp_path / "t.tsv").read_text(), (tmp_path / "t.html").read_text()


def test_tsv_keeps_the_contract(tmp_path):
    text, _ = write(tmp_path, contract())
    table = pd.read_csv(tmp_path / "t.tsv", sep="\t")
    assert table.columns.tolist() == ["dataset", "method", *COLUMNS]
    assert "nan" not in text.lower()
    lines = text.splitlines()
    assert lines[1] == ("Toy\tA & <b>B</b>\tauroc\t0.9\t0.91\t0.89\t0.93\t1200\t1\treached\ta note")
    assert lines[4] == "Toy\tCPC2\tauroc\t0.911\t\t\t\t\t\tnot run\t"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.html", "t.tsv"]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
        ("+x", "'+x"),
        ("-1.5e-3", "-1.5e-3"),
        ("+", "+"),
        ("-", "-"),
        ("a=b", "a=b"),
    ],
)
def test_no_cell_is_run_as_a_formula(tmp_path, text, cell):
    keys = {"method": text}
    one = row(keys, "auroc", None, {"value": -0.5}, comparable=False)
    write_table(tmp_path / "t.tsv", tmp_path / "t.html", long_table([one], list(keys)), "t", "c")
    (read,) = csv.DictReader((tmp_path / "t.tsv").read_text().splitlines(), delimiter="\t")
    assert (read["method"], read["measured"]) == (cell, "-0.5")


def test_html_is_escaped_ascii_with_words_for_status(tmp_path):
    _, html = write(tmp_path, contract())
    assert html.isascii()
    assert "A &amp; &lt;b&gt;B&lt;/b&gt;" in html
    assert "<b>B</b>" not in html
    assert html.count('<tr class="nt-idle">') == 1
    body = html[html.index("<tbody>") : html.index("</tbody>")]
    assert body.count('<span class="nt-status nt-reached">reached</span>') == 1
    assert body.count('<span class="nt-status nt-below">below</span>') == 1
    assert '<span class="nt-status nt-reached">1 reached</span>' in body
    assert '<span class="nt-status nt-not run">not run</span>' in body
    assert "1,200" in body
    assert "1.0e-05" in body
    assert "0.890&#8211;0.930" in body
    assert html.count(">published</th>") == 2, "nothing is published for MCC"


def test_every_row_of_the_html_has_as_many_cells_as_the_head():
    html = render_table(contract(), "Title", "Caption.")
    head, body = html[html.index("<thead>") : html.index("</thead>")], html[html.index("<tbody>") :]
    first = head[: head.index("</tr>")]
    columns = sum(int(n) for n in re.findall(r'colspan="(\d)"', first))
    columns += first.count("rowspan")
    for line in re.findall(r"<tr.*?</tr>", body, re.S):
        assert len(re.findall(r"<t[dh][ >]", line)) == columns


def test_counts_are_shown_whole_and_shares_with_three_decimals():
    rows = [
        row({"dataset": "Toy"}, "n", 59419, {"value": 59419}, comparable=True),
        row({"dataset": "Toy"}, "mean_length", 1363, {"value": 1363.44}, comparable=True),
        row({"dataset": "Toy"}, "auroc", None, {"value": 1.0}, comparable=True),
    ]
    html = render_table(long_table(rows, ["dataset"]), "t", "c")
    assert html.count("59,419") == 2
    assert html.count("1,363") == 2
    assert "1.000" in html


def test_small_numbers_beside_large_ones_keep_their_decimals():
    """Parameters in millions: 0.11 of BPNet is not 0 because another model has 104."""
    rows = [
        row({"method": "BPNet"}, "parameters", 0.11, {"value": 0.111428}, comparable=True),
        row({"method": "SpeciesLM"}, "parameters", 104, {"value": 104.1225}, comparable=True),
    ]
    html = render_table(long_table(rows, ["method"]), "t", "c")
    assert "0.111" in html and "104.123" in html


def test_two_rows_of_one_key_are_refused():
    table = contract()
    with pytest.raises(ValueError, match="more than one row for"):
        render_table(pd.concat([table, table.head(1)]), "t", "c")


# --- the lncRNA study ---

DATASETS = [
    {
        "name": "human_paper",
        "species": "human",
        "split": "paper",
        "title": "Human",
        "published_as": "human",
        "comparable": True,
        "note": "",
    },
    {
        "name": "toy_gene",
        "species": "toy",
        "split": "gene",
        "title": "Toy",
        "published_as": None,
        "comparable": False,
        "note": "simulated",
    },
]
METHODS = [
    {
        "name": "lora-bert",
        "title": "LoRA-BERT",
        "kind": "language_model",
        "published_as": "LoRA-BERT",
        "comparable": True,
        "note": "",
    },
    {
        "name": "cpc2",
        "title": "CPC2 features + SVM",
        "kind": "baseline",
        "published_as": "CPC2",
        "comparable": False,
        "note": "retrained",
    },
    {
        "name": "length",
        "title": "Length only",
        "kind": "reference",
        "published_as": None,
        "comparable": False,
        "note": "",
    },
]


def published(name):
    return pd.read_csv(PUBLISHED / f"{name}.tsv", sep="\t")


def measured(value, valid=0.5):
    interval = {"value": value, "ci_low": value - 0.01, "ci_high": value + 0.01}
    names = (*lncrna.PERFORMANCE, "log_loss")
    return {
        "n_test": 100,
        "seeds": [1, 2],
        "splits": {
            "train": {n: {"value": value, "ci_low": None, "ci_high": None} for n in names},
            "valid": {"auroc": {"value": valid}},
            "test": dict.fromkeys(names, interval),
        },
    }


def metrics():
    return {
        "human_paper": {"lora-bert": measured(0.99), "cpc2": measured(0.8)},
        "toy_gene": {"lora-bert": measured(0.9), "cpc2": measured(0.8), "length": measured(0.6)},
    }


def cell(table, first, second, metric):
    chosen = table.loc[
        (table.iloc[:, 0] == first) & (table.iloc[:, 1] == second) & (table["metric"] == metric)
    ]
    assert len(chosen) == 1
    return chosen.iloc[0]


def test_published_numbers_agree_with_the_paper():
    table = published("lncrna").query("table == 3").set_index(["species", "method"])
    assert len(table) == 10
    assert table.loc[("human", "LoRA-BERT"), "auroc"] == 0.998
    assert table.loc[("mouse", "PLEK"), "precision"] == 0.694
    # F1 is the harmonic mean of the two before it, as far as three decimals tell.
    harmonic = 2 / (1 / table["precision"] + 1 / table["recall"])
    assert np.abs(harmonic - table["f1"]).max() < 0.0016


def test_table3():
    table = lncrna.table3(published("lncrna"), metrics(), DATASETS, METHODS)
    ours = cell(table, "Human", "LoRA-BERT", "auroc")
    assert (ours["published"], ours["measured"], ours["status"]) == (0.998, 0.99, "reached")
    assert (ours["n_test"], ours["seeds"]) == (100, 2)
    assert cell(table, "Human", "LoRA-BERT", "mcc")["status"] == "not comparable"
    retrained = cell(table, "Human", "CPC2 features + SVM", "auroc")
    assert (retrained["published"], retrained["status"]) == (0.911, "not comparable")
    assert retrained["note"] == "retrained"
    toy = cell(table, "Toy", "CPC2 features + SVM", "auroc")
    assert np.isnan(toy["published"])
    assert toy["note"] == "simulated; retrained"
    missing = table.loc[table["status"] == "not run"]
    assert missing["measured"].isna().all()
    pairs = set(zip(missing["dataset"], missing["method"], strict=True))
    assert ("Human (as published)", "LncFinder") in pairs
    assert ("Human (as published)", "CPC2") in pairs, "no comparable run covers it"
    assert ("Human (as published)", "LoRA-BERT") not in pairs
    assert {name for name, _ in pairs} == {"Human (as published)"}, "the run has no mouse"
    assert len(pairs) == 4
    assert not any(table["note"][table["status"] == "not comparable"] == "")
    render_table(table, **lncrna.TABLES[3])


def test_table3_shows_what_is_published_of_the_species_of_the_run():
    assert lncrna.table3(published("lncrna"), {}, [], []).empty
    datasets = [{**DATASETS[0], "published_as": name} for name in ("human", "mouse")]
    table = lncrna.table3(published("lncrna"), {}, datasets, [])
    assert len(table) == 10 * 5
    assert set(table["status"]) == {"not run"}


def test_table2_has_language_models_only():
    table = lncrna.table2(published("lncrna_training"), metrics(), DATASETS, METHODS)
    assert set(table["method"]) == {"LoRA-BERT"}
    assert cell(table, "Human", "LoRA-BERT", "train_accuracy")["status"] == "above"
    test_loss = cell(table, "Human", "LoRA-BERT", "test_loss")
    assert (test_loss["published"], test_loss["n_test"]) == (0.143, 100)
    assert np.isnan(cell(table, "Human", "LoRA-BERT", "train_loss")["n_test"])
    assert not any(table["dataset"].str.contains("Mouse")), "the run has none"


def test_table2_when_the_training_split_was_not_predicted():
    without = metrics()
    del without["human_paper"]["lora-bert"]["splits"]["train"]
    table = lncrna.table2(published("lncrna_training"), without, DATASETS, METHODS)
    assert cell(table, "Human", "LoRA-BERT", "train_loss")["status"] == "not run"
    assert cell(table, "Human", "LoRA-BERT", "test_loss")["status"] == "above"


def test_table1():
    lengths = {"n": 59419, "min_length": 100, "max_length": 200, "mean_length": 1363.2}
    before = {**lengths, "n": 90000}
    card = {
        "classes": {"mRNA": lengths, "lncRNA": lengths},
        "classes_before_sampling": {"mRNA": before, "lncRNA": lengths},
    }
    table = lncrna.table1(published("lncrna_datasets"), {"human_paper": card}, DATASETS)
    expected = {"n": "reached", "min_length": "reached", "max_length": "below"}
    expected |= {"mean_length": "reached", "n_before_sampling": "not comparable"}
    for metric, value in expected.items():
        assert cell(table, "Human", "mRNA", metric)["status"] == value
    assert cell(table, "Human", "mRNA", "n_before_sampling")["measured"] == 90000
    assert cell(table, "Human", "lncRNA", "mean_length")["status"] == "above"
    mouse = [*DATASETS, {**DATASETS[0], "name": "mouse_paper", "published_as": "mouse"}]
    assert not any(table["dataset"].str.contains("Mouse"))
    table = lncrna.table1(published("lncrna_datasets"), {"human_paper": card}, mouse)
    assert cell(table, "Mouse (as published)", "lncRNA", "n")["published"] == 22583
    assert "Human (as published)" not in set(table["dataset"])
    render_table(table, **lncrna.TABLES[1])


def test_headlines_choose_the_model_on_the_validation_split():
    models = [*METHODS, {**METHODS[0], "name": "other", "title": "Other BERT"}]
    values = metrics()
    values["toy_gene"]["other"] = measured(0.7, valid=0.9)
    comparison = pd.DataFrame(
        {
            "method": ["lora-bert", "other"],
            "against": "cpc2",
            "delta_auroc": [0.1, -0.1],
            "ci_low": [0.05, -0.2],
            "ci_high": [0.2, -0.05],
            "p_holm": [0.002, 0.004],
        }
    )
    found = headlines(values, {"toy_gene": comparison}, DATASETS, models)
    assert len(found) == 1
    assert found[0]["method"] == "Other BERT"
    assert found[0]["baseline"] == "CPC2 features + SVM"
    assert (found[0]["auroc"]["value"], found[0]["baseline_auroc"]["value"]) == (0.7, 0.8)
    assert (found[0]["delta_auroc"], found[0]["p_holm"], found[0]["seeds"]) == (-0.1, 0.004, 2)


@pytest.mark.parametrize(
    ("seeds", "note"),
    [(1, "predicts one class; a note"), (3, "predicts one class in 1 of 3 seeds; a note")],
)
def test_a_collapsed_model_is_marked(seeds, note):
    found = {"value": 0.0, "ci_low": None, "ci_high": None, "one_class": 1}
    shared = {"comparable": True, "seeds": seeds, "note": "a note"}
    table = long_table([row({"method": "BERT"}, "mcc", 0.8, found, **shared)], ["method"])
    assert table["note"].tolist() == [note] and table["status"].tolist() == ["below"]
    assert '0.000<span class="nt-ci">one class</span>' in render_table(table, "T", "C")
