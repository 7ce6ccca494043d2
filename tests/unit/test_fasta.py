"""FASTA as it is found: line endings, case, letters, headers, damage."""

import gzip

import pytest

from nucleotune.errors import InputError
from nucleotune.sequence.alphabet import normalise
from nucleotune.sequence.fasta import read_fasta, read_ids


def fasta(tmp_path, data: bytes, name="x.fa"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "data",
    [
        b">a one\nACGT\nAC\n>b\nGG\n",
        b">a one\r\nACGT\r\nAC\r\n>b\r\nGG\r\n",
        b">a one\rACGTAC\r>b\rGG",
        b"\n>a one\nacgtac\n\n>b\nGG\n\x1a",
        gzip.compress(b">a one\nACGUAC\n>b\nGG"),
    ],
    ids=["unix", "dos", "old mac", "lower case and blank lines", "gzip and U"],
)
def test_same_records_however_written(tmp_path, data):
    assert list(read_fasta(fasta(tmp_path, data))) == [("a one", "ACGTAC"), ("b", "GG")]


def test_gzip_is_recognised_by_content_not_name(tmp_path):
    path = fasta(tmp_path, gzip.compress(b">a\nAC\n"), name="plain.fa")
    assert [record.sequence for record in read_fasta(path)] == ["AC"]


def test_iupac_becomes_n_and_other_letters_are_refused(tmp_path):
    assert normalise("acgurykmswbdhvn") == "ACGT" + "N" * 11
    path = fasta(tmp_path, b">a\nACGT\n>b x\nAC\nG-T\n")
    with pytest.raises(
        InputError, match=r"x\.fa: record 'b x' \(line 3\): letter '-' at position 4"
    ):
        list(read_fasta(path))


@pytest.mark.parametrize(
    "data, message",
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"<html>no</html>\n>a\nAC\n", "line 1: expected a FASTA header"),
        (b">\nAC\n", "line 1: empty header"),
        (gzip.compress(b">a\nACGT\n" * 1000, mtime=0)[:-20], "damaged gzip"),
        (b"\xff\xfe\x00\x01", "UTF-16 text"),
        (b">a\nAC\xe9\n", "line 2: not UTF-8 text"),
    ],
)
def test_broken_files_are_refused(tmp_path, data, message):
    with pytest.raises(InputError, match=message):
        list(read_fasta(fasta(tmp_path, data)))


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        list(read_fasta(tmp_path / "none.fa"))


def test_empty_record_is_kept_for_the_length_filter_to_count(tmp_path):
    assert list(read_fasta(fasta(tmp_path, b">a\n>b\nAC\n")))[0] == ("a", "")


def test_read_ids_refuses_repeats(tmp_path):
    with pytest.raises(InputError, match="id 'a' occurs more than once"):
        list(read_ids(fasta(tmp_path, b">a 1\nAC\n>a 2\nAC\n")))


def test_read_ids_takes_the_first_field_of_gencodes_headers(tmp_path):
    path = fasta(tmp_path, b">ENST01.2|ENSG01.5|-|-|X-201|X|4|\nACGT\n>other one\nAC\n")
    assert list(read_ids(path)) == [("ENST01.2", "ACGT"), ("other", "AC")]
