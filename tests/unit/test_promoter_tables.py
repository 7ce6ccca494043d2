"""Tables of the promoter study: published numbers beside measured ones."""

from pathlib import Path

import pandas as pd
import pytest

from nucleotune.reporting.tables import COLUMNS, render_table
from nucleotune.studies.promoters import tables as promoters

PUBLISHED = Path(__file__).parents[2] / "resources" / "published"


@pytest.fixture(scope="module")
def published():
    return pd.read_csv(PUBLISHED / "promoters.tsv", sep="\t")


def dataset(task, length, **changes):
    return {
        "name": f"human_{task}-{length}_random",
        "task": task,
        "length": length,
        "title": "Human",
        "published_as": "human",
        "comparable": True,
        "note": "",
        **changes,
    }


DATASETS = [
    *(dataset(f"task{i}", 300) for i in (1, 2, 3, 4)),
    dataset("task3", 1000),
    dataset("task3", 300, name="human_task3-300_chromosome", title="Human, chr", comparable=False),
]


def method(name, **changes):
    return {
        "name": name,
        "title": name,
        "kind": "language_model",
        "published_as": None,
        "comparable": True,
        "note": "",
        "kmer": None,
        "truncation": "right",
        **changes,
    }


METHODS = [
    method("tfidf", kind="baseline", published_as="LR", truncation=None),
    method("biotype", kind="reference", truncation=None),
    method("db3", published_as="DNABERT-3mer", kmer=3),
    method("db3-left", kmer=3, truncation="left"),
    method("db6", published_as="DNABERT-6mer", kmer=6),
    method("nt", published_as="NT-500M-human"),
]


def content(mcc):
    value = {"value": mcc, "ci_low": mcc - 0.02, "ci_high": mcc + 0.02}
    splits = {"test": {"mcc": value, "accuracy": value, "f1": value}}
    less = {"test": {"rows": 500, "mcc": {"value": mcc - 0.1, "ci_low": None, "ci_high": None}}}
    without = {"without_relatives": {"identity": 0.5, "splits": less}}
    return {"splits": splits, "n_test": 554, "seeds": [1, 2], **without}


METRICS = {
    one["name"]: {
        "tfidf": content(0.70),
        "db3": content(0.73),
        "db3-left": content(0.74),
        "db6": content(0.82),
        "nt": {"splits": {}, "n_test": None, "seeds": [], "not_run": "no weights"},
    }
    for one in DATASETS
}


def find(table, **keys):
    for column, value in keys.items():
        table = table[table[column] == value]
    assert len(table) == 1, table
    return table.iloc[0]


def test_table_1_sets_mcc_of_every_length_beside_the_papers(published):
    table = promoters.table1(published, METRICS, DATASETS, METHODS)
    assert list(table.columns) == ["dataset", "length", "method", *COLUMNS]
    assert set(table["metric"]) == {"mcc"}
    row = find(table, dataset="Human", length="300 bp", method="db3")
    assert (row["published"], row["measured"], row["status"]) == (0.7348, 0.73, "reached")
    assert (row["n_test"], row["seeds"]) == (554, 2)
    assert find(table, dataset="Human", length="1000 bp", method="db3")["status"] == "above"
    assert find(table, dataset="Human, chr", length="300 bp", method="db3")["status"] == (
        "not comparable"
    )
    skipped = find(table, dataset="Human", length="300 bp", method="nt")
    assert (skipped["status"], skipped["note"]) == ("not run", "not run: no weights")
    # Every number that the paper prints is in the table once, whether it was run or not.
    chosen = published[published["table"] == 1]
    shown = table[(table["dataset"] != "Human, chr") & table["published"].notna()]
    assert sorted(shown["published"]) == pytest.approx(sorted(chosen["mcc"] / 100))
    assert (
        find(table, dataset="Human (as published)", length="2000 bp", method="LR")["published"]
        == 0.6532
    )
    assert "biotype alone has an MCC of 0.734 in Task 3" in render_table(
        table, **promoters.TABLES[1]
    )


def test_table_2_has_all_tasks_at_300_bp(published):
    table = promoters.table2(published, METRICS, DATASETS, METHODS)
    assert list(table.columns[:3]) == ["dataset", "task", "method"]
    ours = table[table["dataset"] == "Human"]
    assert ours.groupby("task", sort=False).size().to_dict() == {
        title: 2 * 5 for _, title in promoters.TASKS.values()
    }
    first = ours[(ours["task"] == "1: biological or artificial") & (ours["method"] == "tfidf")]
    row, without = find(first, metric="mcc"), find(first, metric="mcc_without_relatives")
    assert (row["published"], row["measured"], row["status"]) == (0.8668, 0.70, "below")
    assert without["measured"] == pytest.approx(0.6) and without["n_test"] == 500
    assert (without["status"], without["note"]) == ("not comparable", "")
    assert "MCC without relatives" in render_table(table, **promoters.TABLES[2])
    absent = table[table["dataset"] == "Human (as published)"]
    assert set(absent["method"]) == {"DNABERT-2"}
    assert "biotype alone has an MCC of 0.734 in Task 3" in render_table(
        table, **promoters.TABLES[2]
    )


@pytest.mark.parametrize("comparable", [True, False])
def test_table_3_needs_no_method(comparable):
    printed = pd.read_csv(PUBLISHED / "promoters_expression.tsv", sep="\t")
    ours = {
        "protein_coding": {"genes": 19000, "tissues": 49, "mean": 44.934, "sd": 801.0},
        "lncRNA": {"genes": 14000, "tissues": 49, "mean": 1.21, "sd": 6.63},
    }
    one = dataset("task3", 300, comparable=comparable)
    table = promoters.table3(printed, {one["name"]: {"tpm": ours}}, [one])
    coding = table[(table["biotype"] == "protein_coding") & (table["dataset"] == "Human")]
    assert coding["metric"].tolist() == ["tpm_mean", "tpm_std", "genes"]
    assert coding["published"].tolist()[:2] == [44.93, 792.96]
    assert coding["measured"].tolist() == [44.934, 801.0, 19000]
    statuses = ["reached", "above"] if comparable else ["not comparable"] * 2
    assert coding["status"].tolist() == [*statuses, "not comparable"]
    absent = table[table["dataset"] == "Human (as published)"]
    assert absent["published"].tolist() == ([] if comparable else [44.93, 792.96, 0.94, 6.63])
    render_table(table, **promoters.TABLES[3])


def test_table_4_is_dnabert_only(published):
    table = promoters.table4(published, METRICS, DATASETS, METHODS)
    ours = table[table["dataset"] == "Human"]
    assert set(ours["method"]) == {"db3", "db3-left", "db6"}
    assert set(ours["metric"]) == {"mcc", "accuracy", "f1"}
    assert find(ours, method="db6", metric="f1")["published"] == 0.9256
    assert find(ours, method="db6", metric="mcc")["status"] == "reached"
    absent = table[table["dataset"] == "Human (as published)"]
    assert set(absent["method"]) == {"DNABERT-4mer", "DNABERT-5mer"}
    render_table(table, **promoters.TABLES[4])


def test_truncation_shows_mcc_beside_the_tss_lost(published):
    sides = {"tss_lost": {"right": 1.0, "left": 0.0, "centre": 1.0}}
    cut = {"db3": sides, "db3-left": sides}
    # All data sets are read; those of other tasks are not of this table.
    names = ("human_task3-1000_random", "human_task3-300_random", "human_task4-300_random")
    cards = {name: {"reading": cut} for name in names}
    table = promoters.truncation_table(published, METRICS, DATASETS, METHODS, cards)
    assert list(table.columns[:4]) == ["dataset", "length", "method", "truncation"]
    assert not set(table["method"]) & {"tfidf", "biotype", "LR"}
    lost = table[(table["metric"] == "tss_lost") & (table["length"] == "1000 bp")]
    lost = lost.set_index("truncation")["measured"]
    assert lost.to_dict() == {"right": 1.0, "left": 0.0}
    row = find(table, dataset="Human", length="1000 bp", method="db3-left", metric="mcc")
    assert (row["truncation"], row["measured"]) == ("left", 0.74)
    assert pd.isna(row["published"])
    html = render_table(table, **promoters.TABLES["truncation"])
    assert "TSS lost" in html
