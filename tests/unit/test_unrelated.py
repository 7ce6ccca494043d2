"""Metrics on test rows without a relative in training: equal to those of a table that has no other rows."""

import json

import numpy as np
import pandas as pd
import pytest

from nucleotune.contracts import write_relatives
from nucleotune.errors import InputError
from nucleotune.evaluation.unrelated import IDENTITY
from nucleotune.profile_contracts import ProfileExamples, ProfilePredictions
from nucleotune.studies.related import IDENTITIES
from nucleotune.tasks import task_of

BOOTSTRAP = {"resamples": 20, "confidence": 0.95, "seed": 1}
N = 60
SPLITS = np.repeat(["train", "valid", "test", "test-far"], N // 4 * np.array([1, 1, 4, 2]))
IDS = np.array([f"r{n}" for n in range(SPLITS.size)])
TEST = np.char.startswith(SPLITS, "test")
#: Of the test rows every third has a relative.
RELATED = TEST & (np.arange(SPLITS.size) % 3 == 0)
KINDS = ("two", "three", "labels", "numbers", "profiles")


def made(name):
    """Kind, examples and predictions of one method on some rows."""
    rng, n = np.random.default_rng(3), SPLITS.size
    groups = [f"g{i // 2}" for i in range(n)]
    examples = pd.DataFrame({"id": IDS, "sequence": "ACGTACGT", "split": SPLITS, "group": groups})
    predicted = examples[["id", "split"]].copy()
    if name in ("two", "three"):
        classes = 2 if name == "two" else 3
        examples["label"] = predicted["label"] = rng.integers(0, classes, n)
        scores = rng.dirichlet(np.ones(classes), n) + 0.3 * np.eye(classes)[examples["label"]]
        scores /= scores.sum(axis=1, keepdims=True)
        predicted["predicted"] = scores.argmax(axis=1)
        named = {"score": scores[:, 1]} if classes == 2 else {}
        return (
            "classes",
            examples,
            predicted.assign(**named or {f"score:{k}": scores[:, k] for k in range(classes)}),
        )
    if name == "profiles":
        places = {"seqname": "I", "start": np.arange(n), "end": np.arange(n) + 8, "strand": "+"}
        counts, tracks = rng.poisson(0.9, (n, 2, 8)), ("a", "b")
        profiles = rng.dirichlet(np.ones(8), (n, 2)).astype(np.float32)
        logs = rng.normal(3, 1, (n, 2))
        return (
            name,
            ProfileExamples(examples.assign(**places), counts, tracks),
            ProfilePredictions(predicted, profiles, logs, tracks),
        )
    prefix = "label" if name == "labels" else "value"
    for one in ("x", "y"):
        truth = rng.integers(0, 2, n) if name == "labels" else rng.normal(size=n)
        noisy = truth + rng.normal(size=n)
        examples[f"{prefix}:{one}"] = predicted[f"{prefix}:{one}"] = truth.astype(float)
        if name == "labels":
            predicted[f"score:{one}"] = noisy
        predicted[f"predicted:{one}"] = (noisy > 0.5) * 1 if name == "labels" else noisy
    return name, examples, predicted


def evaluated(folder, name, kept=None, identity=RELATED * 0.8, reason=None, relatives=None):
    """metrics.json of one method, of the rows `kept`, and with relatives where there are none."""
    kind, examples, predicted = made(name)
    if kept is not None:
        ids = set(IDS[kept])
        if name == "profiles":
            examples, predicted = examples.of_ids(ids), predicted.of_ids(ids)
        else:
            examples, predicted = (one[one["id"].isin(ids)] for one in (examples, predicted))
    classes = {"classes": 3} if name == "three" else {}
    task_of(kind).write_examples(folder / "e.parquet", examples, **classes)
    task_of(kind).write_predictions(folder / "p.parquet", predicted)
    if relatives is None:
        relatives = pd.DataFrame({"id": IDS, "split": SPLITS, "identity": identity})[TEST]
    write_relatives(folder / "r.parquet", relatives, reason)
    path = {} if kept is not None else {"relatives": folder / "r.parquet"}
    found = task_of(kind).evaluate(
        folder / "e.parquet",
        {1: folder / "p.parquet"},
        bootstrap=BOOTSTRAP,
        source="mine",
        **path,
    )
    json.dumps(found, allow_nan=False)
    return found


@pytest.mark.parametrize("name", KINDS)
def test_numbers_are_those_of_a_table_without_related_rows(name, tmp_path):
    found, less = evaluated(tmp_path, name), evaluated(tmp_path, name, kept=~RELATED)
    without = found["without_relatives"]
    assert without["identity"] == IDENTITY == min(IDENTITIES)
    assert set(without["splits"]) == {"test", "test-far"}
    for split, part in without["splits"].items():
        rows = part.pop("rows")
        assert rows == (~RELATED & (split == SPLITS)).sum() < (split == SPLITS).sum()
        assert part == less["splits"][split]
    main = found["main_metric"]
    assert without["splits"]["test"][main]["ci_low"] < without["splits"]["test"][main]["ci_high"]
    assert without["splits"]["test"][main] != found["splits"]["test"][main]
    # What was there before is what it was.
    alone = evaluated(tmp_path, name, kept=np.full(SPLITS.size, True))
    assert {key: found[key] for key in alone} == alone


def test_auroc_by_hand(tmp_path):
    _, _, table = made("two")
    rows = table[(SPLITS == "test") & ~RELATED]
    ones, zeros = (rows.loc[rows["label"] == k, "score"].to_numpy() for k in (1, 0))
    wins = (ones[:, None] > zeros).mean()
    found = evaluated(tmp_path, "two")["without_relatives"]["splits"]["test"]
    assert found["auroc"]["value"] == pytest.approx(wins, abs=1e-12)


def test_pearson_by_hand(tmp_path):
    _, _, table = made("numbers")
    rows = table[(SPLITS == "test") & ~RELATED]
    each = [np.corrcoef(rows[f"value:{x}"], rows[f"predicted:{x}"])[0, 1] for x in ("x", "y")]
    found = evaluated(tmp_path, "numbers")["without_relatives"]["splits"]["test"]
    assert found["pearson"]["value"] == pytest.approx(np.mean(each), abs=1e-12)


def test_without_relatives_all_numbers_are_the_same(tmp_path):
    """The strictest identity counts: one below it is none."""
    found = evaluated(tmp_path, "two", identity=RELATED * (IDENTITY - 0.01))
    assert found["without_relatives"]["splits"] == {
        split: {"rows": int((split == SPLITS).sum()), **found["splits"][split]}
        for split in ("test", "test-far")
    }


@pytest.mark.parametrize(
    "name, related, rows, reason",
    [
        ("numbers", lambda labels: np.arange(N) > 8, 9, "9 of 60 test rows .* relative.*: too few"),
        ("two", lambda labels: labels == 1, None, "of a class 0 test rows .* relative.*: too few"),
        (
            "two",
            lambda labels: (labels == 1) & (np.cumsum(labels == 1) > 4),
            None,
            "of a class 4 test rows",
        ),
        ("profiles", lambda labels: np.arange(N) > 3, 4, "4 of 60 test rows"),
    ],
)
def test_what_cannot_be_judged_has_a_reason(name, related, rows, reason, tmp_path):
    _, examples, _ = made("two")
    identity = np.zeros(SPLITS.size)
    identity[SPLITS == "test"] = related(examples.loc[SPLITS == "test", "label"].to_numpy())
    found = evaluated(tmp_path, name, identity=identity)
    part = found["without_relatives"]["splits"]["test"]
    assert part.pop("rows") == (rows or (identity[SPLITS == "test"] == 0).sum())
    assert part.keys() == found["splits"]["test"].keys()
    for one in part.values():
        assert one["value"] is one["ci_low"] is one["ci_high"] is None
    assert pd.Series([one["reason"] for one in part.values()]).str.contains(reason).all()
    assert found["splits"]["test"][found["main_metric"]]["value"] is not None


def test_relatives_that_were_not_looked_for(tmp_path):
    found = evaluated(tmp_path, "two", reason="no tool")["without_relatives"]["splits"]["test"]
    assert found["rows"] is None
    assert found["auroc"]["reason"] == "relatives were not looked for: no tool"


def test_relatives_of_other_rows_are_refused(tmp_path):
    others = pd.DataFrame({"id": IDS[TEST], "split": SPLITS[TEST], "identity": 0.0})
    with pytest.raises(InputError, match="mine: split 'test': record 'r30' .* older examples"):
        evaluated(tmp_path, "two", relatives=others[1:])
