"""Examples and predictions of profile regressions come back as written, or are refused."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nucleotune.errors import InputError
from nucleotune.profile_contracts import (
    ProfileExamples,
    ProfilePredictions,
    read_profile_examples,
    read_profile_predictions,
    write_profile_examples,
    write_profile_predictions,
)

TRACKS = ("ypd", "gal")


def make_examples():
    table = pd.DataFrame(
        {
            "id": ["a", "b", "c"],
            "sequence": ["ACGT", "GGNA", "TTTT"],
            "split": ["train", "valid", "test"],
            "group": ["a", "b", "c"],
            "seqname": ["I", "XV", "VII"],
            "start": [0, 10, 20],
            "end": [4, 14, 24],
            "strand": ["+", "-", "+"],
            "symbol": ["x", None, "z"],
        }
    )
    counts = np.random.default_rng(0).integers(0, 9, (3, 2, 4))
    return ProfileExamples(table, counts, TRACKS)


def make_predictions():
    profiles = np.random.default_rng(1).dirichlet(np.ones(4), (3, 2)).astype(np.float32)
    log_counts = np.arange(6, dtype=float).reshape(3, 2)
    table = make_examples().table[["id", "split"]]
    return ProfilePredictions(table, profiles, log_counts, TRACKS)


def test_examples_come_back_as_written(tmp_path):
    examples = make_examples()
    write_profile_examples(tmp_path / "e", examples)
    found = read_profile_examples(tmp_path / "e")
    assert found.table.to_dict("list") == examples.table.to_dict("list")
    assert found.tracks == TRACKS
    assert found.counts.dtype == np.int64
    np.testing.assert_array_equal(found.counts, examples.counts)
    part = read_profile_examples(tmp_path / "e", splits=["train", "test"])
    assert part.table["id"].tolist() == ["a", "c"] and part.table.index.tolist() == [0, 1]
    np.testing.assert_array_equal(part.counts, examples.counts[[0, 2]])
    same = examples.of_splits(["test", "train"])
    assert same.table["id"].tolist() == ["a", "c"]
    np.testing.assert_array_equal(same.counts, part.counts)


def test_lists_are_as_long_as_sequences_in_the_file(tmp_path):
    examples = make_examples()
    write_profile_examples(tmp_path / "e", examples)
    row = pd.read_parquet(tmp_path / "e").iloc[1]
    assert row["counts_gal"].tolist() == examples.counts[1, 1].tolist()


def test_predictions_come_back_as_written(tmp_path):
    predictions = make_predictions()
    write_profile_predictions(tmp_path / "p", predictions)
    found = read_profile_predictions(tmp_path / "p")
    assert found.table.to_dict("list") == predictions.table.to_dict("list")
    np.testing.assert_array_equal(found.profiles, predictions.profiles)
    np.testing.assert_array_equal(found.log_counts, predictions.log_counts)
    part = read_profile_predictions(tmp_path / "p", splits=["valid"])
    np.testing.assert_array_equal(part.profiles, predictions.profiles[1:2])
    assert part.table["id"].tolist() == ["b"]


def test_same_rows_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_profile_examples(tmp_path / name, make_examples())
        write_profile_predictions(tmp_path / f"{name}p", make_predictions())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "ap").read_bytes() == (tmp_path / "bp").read_bytes()


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("id", ["a", "a", "c"], "id 'a' occurs more than once"),
        ("sequence", ["ACGT", "GGA", "TTTT"], "record 'b': sequence is not of 4 nt"),
        ("sequence", ["ACGT", "GGNA", "ttTT"], "record 'c': sequence"),
        ("split", ["train", "dev", "test"], "unknown split 'dev'"),
        ("strand", None, "missing column.* strand"),
    ],
)
def test_broken_tables_are_not_written(tmp_path, column, value, message):
    examples = make_examples()
    if value is None:
        examples.table.drop(columns=column, inplace=True)
    else:
        examples.table[column] = value
    with pytest.raises(InputError, match=message):
        write_profile_examples(tmp_path / "e", examples)
    assert list(tmp_path.iterdir()) == []


def test_broken_counts_are_not_written(tmp_path):
    examples = make_examples()
    for counts, message in (
        (examples.counts[:, :, :3], "shape"),
        (examples.counts[:, :1], "shape"),
        (examples.counts.astype(float), "whole numbers"),
        (np.where(np.arange(3)[:, None, None] == 1, -1, examples.counts), "'b'.*negative"),
    ):
        with pytest.raises(InputError, match=message):
            write_profile_examples(tmp_path / "e", examples._replace(counts=counts))
    assert list(tmp_path.iterdir()) == []


def test_broken_predictions_are_not_written(tmp_path):
    predictions = make_predictions()
    second = np.arange(3)[:, None] == 1
    for changed, message in (
        ({"log_counts": np.where(second, np.nan, predictions.log_counts)}, "'b'.*finite"),
        ({"profiles": np.where(second[..., None], 2, predictions.profiles)}, "'b'.*add up to 1"),
        ({"profiles": np.where(second[..., None], np.nan, predictions.profiles)}, "'b'.*finite"),
        ({"log_counts": predictions.log_counts[:, :1]}, "shape"),
    ):
        with pytest.raises(InputError, match=message):
            write_profile_predictions(tmp_path / "p", predictions._replace(**changed))
    assert list(tmp_path.iterdir()) == []


def test_files_of_other_kinds_are_refused(tmp_path):
    write_profile_examples(tmp_path / "e", make_examples())
    with pytest.raises(InputError, match="no column profile_<track>"):
        read_profile_predictions(tmp_path / "e")
    with pytest.raises(InputError, match="no rows of pretrain"):
        read_profile_examples(tmp_path / "e", splits=["pretrain"])
    table = pq.read_table(tmp_path / "e").drop_columns("counts_gal")
    ragged = pa.array([[1], [1, 2], [1]], pa.list_(pa.int32()))
    pq.write_table(table.append_column("counts_gal", ragged), tmp_path / "ragged")
    with pytest.raises(InputError, match="'counts_gal'.*several lengths"):
        read_profile_examples(tmp_path / "ragged")
