"""Tables between stages: nothing is quoted, and rot is seen."""

import random

import numpy as np
import pandas as pd
import pytest

from nucleotune.attribution.patterns import read_patterns
from nucleotune.contracts import not_run, read_predictions, write_predictions
from nucleotune.errors import InputError
from nucleotune.frames import read_metadata, read_parquet, read_tsv, write_parquet, write_tsv
from nucleotune.reporting.page import summarise_benchmarks

TABLE = pd.DataFrame({"id": ['a"b', "NA", '"c', "'d", "e,f"], "score": [0.5, 1.0, np.nan, 3, 4]})


def test_ids_are_written_to_the_letter(tmp_path):
    write_tsv(tmp_path / "a.tsv", TABLE)
    assert (tmp_path / "a.tsv").read_text().splitlines()[1:4] == ['a"b\t0.5', "NA\t1.0", '"c\t']
    pd.testing.assert_frame_equal(read_tsv(tmp_path / "a.tsv"), TABLE)
    with pytest.raises(InputError, match=r"'a\\tb' contains a tab or a line end"):
        write_tsv(tmp_path / "b.tsv", pd.DataFrame({"id": ["a\tb"]}))
    assert not (tmp_path / "b.tsv").exists()


def test_names_made_of_digits_stay_names(tmp_path):
    table = pd.DataFrame(
        {
            "id": ["007", "850289"],
            "method": ["5", "1e5"],
            "motif": ["1.10", "2"],
            "element": ["1", np.nan],
        }
    )
    write_tsv(tmp_path / "a.tsv", table.assign(value=[1, 2]))
    found = read_tsv(tmp_path / "a.tsv")
    for name in table:
        assert found[name].dropna().tolist() == table[name].dropna().tolist()
    assert found["element"].isna().tolist() == [False, True] and found["value"].tolist() == [1, 2]


@pytest.mark.parametrize(
    "data", [b"", b"id\tscore\na\t0.", b"id\ta\n1\t2\t3\n1\t2\t3\t4\n", b"\xff\n"]
)
def test_damaged_tsv_is_named(tmp_path, data):
    (tmp_path / "a.tsv").write_bytes(data)
    with pytest.raises(InputError, match=r"a\.tsv: damaged.*delete it and run again"):
        read_tsv(tmp_path / "a.tsv")


def test_one_flipped_bit_of_the_content_is_seen(tmp_path):
    """Every page has a checksum: whatever bit of the values flips, the file is refused."""
    rng = np.random.default_rng(1)
    n = 400
    table = pd.DataFrame(
        {
            "id": [f"r{i}" for i in range(n)],
            "split": "test",
            "label": rng.integers(0, 2, n),
            "score": rng.random(n),
            "predicted": rng.integers(0, 2, n),
        }
    )
    path = tmp_path / "predictions.parquet"
    write_predictions(path, table)
    assert read_predictions(path)["score"].tolist() == table["score"].tolist()
    whole = path.read_bytes()
    footer = int.from_bytes(whole[-8:-4], "little")
    chance = random.Random(2)
    for _ in range(60):
        damaged = bytearray(whole)
        # Behind the magic letters, before the footer; the header of a page is a part of that.
        position = chance.randrange(4, len(whole) - 8 - footer)
        damaged[position] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        try:
            read = read_predictions(path)
        except InputError as error:
            assert "predictions.parquet" in str(error)
        else:
            assert read.equals(read_back(path, whole)), f"bit of byte {position}"
    path.write_bytes(whole[: len(whole) // 2])
    for reader in (read_predictions, read_parquet, read_metadata, not_run):
        with pytest.raises(InputError, match=r"predictions\.parquet: damaged"):
            reader(path)


def read_back(path, content):
    path.write_bytes(content)
    return read_predictions(path)


def test_same_rows_same_bytes(tmp_path):
    for name in "ab":
        write_parquet(tmp_path / name, TABLE)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with pytest.raises(InputError, match="none: no such file"):
        read_parquet(tmp_path / "none")


def test_damaged_patterns_are_named(tmp_path):
    (tmp_path / "patterns.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(50))
    with pytest.raises(InputError, match=r"patterns\.h5: damaged"):
        read_patterns(tmp_path / "patterns.h5")


def test_an_empty_benchmark_stops_no_report(tmp_path, caplog):
    (tmp_path / "a.tsv").write_text("s\th:m:s\tmax_rss\n2.5\t0:00:02\t100.0\n")
    (tmp_path / "b.tsv").write_text("s\th:m:s\tmax_rss\n1.0\t0:00:01\t-\n")
    (tmp_path / "c.tsv").write_text("")
    (tmp_path / "d.tsv").write_text("else\n1\n")
    found = summarise_benchmarks([(rule, tmp_path / f"{rule}.tsv") for rule in "abcd"])
    assert [(row["rule"], row["total_s"], row["peak_mb"]) for row in found] == [
        ("a", 2.5, 100.0),
        ("b", 1.0, None),
    ]
    assert "c.tsv: damaged" in caplog.text and "max_rss" in caplog.text
