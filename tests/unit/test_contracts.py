"""The files that pass between rooms are checked where they are written."""

import pandas as pd
import pytest

from nucleotune import contracts
from nucleotune.errors import InputError
from nucleotune.files import atomic_path


@pytest.fixture
def examples():
    return pd.DataFrame(
        {
            "id": ["a", "b", "c"],
            "sequence": ["ACGT", "GGN", "TT"],
            "label": [0, 1, 1],
            "split": ["train", "valid", "test"],
            "group": ["g", "g", "h"],
            "symbol": [None, "X", "Y"],
        }
    )


@pytest.fixture
def predictions(examples):
    return examples[["id", "split", "label"]].assign(score=[0.1, 0.9, 0.4], predicted=[0, 1, 0])


def test_examples_come_back_as_written(tmp_path, examples):
    contracts.write_examples(tmp_path / "e.parquet", examples)
    found = contracts.read_examples(tmp_path / "e.parquet")
    assert found.to_dict("list") == examples.to_dict("list")
    test = contracts.read_examples(tmp_path / "e.parquet", columns=["id"], splits=["test"])
    assert test.to_dict("list") == {"id": ["c"]}


def test_same_rows_same_bytes(tmp_path, predictions):
    for name in ("a", "b"):
        contracts.write_predictions(tmp_path / name, predictions)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    "column, value, message",
    [
        ("id", ["a", "a", "c"], "id 'a' occurs more than once"),
        ("sequence", ["ACGT", "acgt", "TT"], "record 'b': sequence"),
        ("sequence", ["ACGT", "", "TT"], "record 'b': sequence"),
        ("label", [0, 1, 2], "'label' must hold 0 or 1"),
        ("split", ["train", "dev", "test"], "unknown split 'dev'"),
    ],
)
def test_broken_examples_are_not_written(tmp_path, examples, column, value, message):
    examples[column] = value
    with pytest.raises(InputError, match=message):
        contracts.write_examples(tmp_path / "e.parquet", examples)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "column, value, message",
    [
        ("score", [0.1, float("nan"), 0.2], "record 'b': score is not finite"),
        ("predicted", [0, 1, 3], "'predicted' must hold"),
    ],
)
def test_broken_predictions_are_not_written(tmp_path, predictions, column, value, message):
    predictions[column] = value
    with pytest.raises(InputError, match=message):
        contracts.write_predictions(tmp_path / "p.parquet", predictions)
    assert list(tmp_path.iterdir()) == []


def test_missing_column_is_named(predictions):
    with pytest.raises(InputError, match=r"missing column\(s\) score"):
        contracts.check_predictions(predictions.drop(columns="score"))


def test_atomic_path_leaves_nothing_after_a_failure(tmp_path):
    target = tmp_path / "sub/file"
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert list((tmp_path / "sub").iterdir()) == []


def test_atomic_path_replaces_a_directory(tmp_path):
    target = tmp_path / "model"
    for name in ("old", "new"):
        with atomic_path(target, replace_directory=True) as temporary:
            temporary.mkdir()
            (temporary / name).touch()
    assert [path.name for path in target.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
