"""Partial transcripts: fragments, views and their tables."""

import numpy as np
import pandas as pd
import pytest

from nucleotune.contracts import check_examples, further_tests
from nucleotune.sequence.views import show
from nucleotune.studies.lncrna.partial import add_fragments, cut_training_rows, middle
from nucleotune.studies.lncrna.partial_tables import partial_table, sensitivity_table
from nucleotune.studies.lncrna.plan import part_name


@pytest.mark.parametrize(
    ("length", "kept", "cut"),
    [(100, 0.9, 5), (101, 0.9, 5), (112, 0.9, 6), (10, 0.6, 2), (3, 0.9, 0)],
)
def test_both_ends_lose_the_same(length, kept, cut):
    sequence = "".join(np.random.default_rng(1).choice(list("ACGT"), length))
    assert middle(sequence, kept) == sequence[cut : length - cut]
    assert len(middle(sequence, kept)) == length - 2 * cut


def make_examples(n=400):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": [f"t{i}" for i in range(n)],
            "sequence": ["".join(rng.choice(list("ACGT"), 200)) for _ in range(n)],
            "label": rng.integers(0, 2, n),
            "split": rng.choice(["pretrain", "train", "valid", "test"], n),
            "group": [f"g{i // 2}" for i in range(n)],
        }
    )


def test_fragments_of_the_test_set_and_of_nothing_else():
    examples = make_examples()
    found = check_examples(add_fragments(examples, [0.9, 0.6]))
    assert further_tests(found["split"]) == ["test-kept90", "test-kept60"]
    pd.testing.assert_frame_equal(found[: len(examples)].drop(columns="kept"), examples)
    test = examples[examples["split"] == "test"]
    for share in (0.9, 0.6):
        part = found[found["split"] == part_name(share)]
        assert list(part["group"]) == list(test["group"]) and list(part["label"]) == list(
            test["label"]
        )
        assert list(part["id"]) == [f"{name}|kept{round(100 * share)}" for name in test["id"]]
        assert list(part["sequence"]) == [middle(s, share) for s in test["sequence"]]
        assert set(part["kept"]) == {share}


def test_training_rows_are_cut_evenly_and_test_rows_are_not():
    examples = make_examples()
    found = cut_training_rows(examples, [0.8, 0.6], seed=3)
    test = found["split"] == "test"
    assert (found.loc[test, "sequence"] == examples.loc[test, "sequence"]).all()
    counts = found.loc[~test, "kept"].value_counts()
    assert set(counts.index) == {1.0, 0.8, 0.6} and counts.min() > 60
    lengths = found.loc[~test, "sequence"].str.len()
    assert (lengths == (200 * found.loc[~test, "kept"]).round()).all()
    pd.testing.assert_frame_equal(found, cut_training_rows(examples, [0.8, 0.6], seed=3))
    assert (add_fragments(found, [0.9])["kept"].iloc[: len(found)] == found["kept"]).all()


def test_views():
    sequences = ["CCATGAAATAACC", "CCCCCC", "ATGCC"]
    assert show(sequences, "transcript") == sequences
    assert show(sequences, "orf") == ["ATGAAATAA", "CCCCCC", "ATG"]


DATASETS = [
    {
        "name": "human_paper",
        "title": "Human",
        "published_as": "human",
        "comparable": True,
        "note": "",
    },
    {"name": "own_paper", "title": "Own", "published_as": None, "comparable": False, "note": "own"},
]
METHODS = [
    {"name": "kmers", "title": "LM", "kind": "language_model", "view": "transcript"},
    {"name": "orf", "title": "LM, ORF", "kind": "language_model", "view": "orf"},
    {"name": "cpc2", "title": "CPC2", "kind": "baseline", "view": None},
]
METHODS = [
    {
        **one,
        "published_as": "CPC2" if one["name"] == "cpc2" else "LoRA-BERT",
        "comparable": True,
        "note": "",
    }
    for one in METHODS
]
PUBLISHED = pd.DataFrame(
    [
        (table, species, kept, method, *[0.5] * 4, auroc)
        for table, species, kept, method, auroc in [
            (4, "human", 0.9, "CPC2", 0.79),
            (4, "human", 0.9, "LoRA-BERT", 0.96),
            (4, "human", 0.6, "LoRA-BERT", 0.94),
            (4, "human", 0.9, "Mdeep", 0.91),
            (6, "human", 0.9, "Original", 0.96),
            (6, "human", 0.9, "No ORF", 0.69),
        ]
    ],
    columns=[
        "table",
        "species",
        "kept_fraction",
        "method",
        "precision",
        "recall",
        "accuracy",
        "f1",
        "auroc",
    ],
)


def metrics_of(value):
    found = {"value": value, "ci_low": value - 0.01, "ci_high": value + 0.01}
    names = ("precision", "recall", "accuracy", "f1", "auroc", "mcc")
    parts = {split: dict.fromkeys(names, found) for split in ("test", "test-kept90", "test-kept60")}
    return {"n_test": 7, "seeds": [1], "splits": parts}


METRICS = {
    dataset["name"]: {m["name"]: metrics_of(0.96 if m["name"] == "orf" else 0.7) for m in METHODS}
    for dataset in DATASETS
}


def test_partial_table_by_data_set_then_share_then_method():
    methods = [one for one in METHODS if one["view"] != "transcript"]
    table = partial_table(4, PUBLISHED, METRICS, DATASETS, methods, [0.9, 0.6])
    auroc = table[table["metric"] == "auroc"]
    keys = list(auroc[["dataset", "kept", "method"]].itertuples(index=False, name=None))
    assert keys == [
        ("Human", "90 %", "LM, ORF"),
        ("Human", "90 %", "CPC2"),
        ("Human", "60 %", "LM, ORF"),
        ("Human", "60 %", "CPC2"),
        ("Own", "90 %", "LM, ORF"),
        ("Own", "90 %", "CPC2"),
        ("Own", "60 %", "LM, ORF"),
        ("Own", "60 %", "CPC2"),
        ("Human (as published)", "90 %", "Mdeep"),
    ]
    assert list(auroc["published"][:4].fillna(-1)) == [0.96, 0.79, 0.94, -1]
    assert list(auroc["status"][:4]) == ["reached", "below", "above", "not comparable"]
    assert auroc["n_test"].iloc[0] == 7 and auroc["status"].iloc[-1] == "not run"


def test_sensitivity_table_takes_both_views_at_the_largest_share():
    table = sensitivity_table(PUBLISHED, METRICS, DATASETS[:1], METHODS, [0.6, 0.9])
    auroc = table[table["metric"] == "auroc"].set_index("method")
    assert auroc["published"].to_dict() == {"LM": 0.69, "LM, ORF": 0.96}
    assert set(auroc["kept"]) == {"90 %"}
