"""Sequences of RNA-binding proteins in each of their published forms: letters, places, ids, and what is refused."""

import gzip
import io
import tarfile

import pandas as pd
import pytest

from nucleotune.__main__ import main
from nucleotune.errors import InputError
from nucleotune.plugins import read_sheet
from nucleotune.studies.rbp import readers as rbp_readers
from nucleotune.studies.rbp.readers import (
    join_kmers,
    list_fasta_pairs,
    list_rbpsuite,
    read_fasta_pair,
    read_rbpsuite,
    read_strazar,
    read_table,
)

COLUMNS = ["id", "sequence", "label", "group", "seqname", "start", "end", "strand"]

FILES = {
    "AB1.negative.fa": ">chr2:10-15(-)\nacgun\n>chr2:30-35(+)\nGGGGG\n",
    "AB1.positive.fa": ">chr1:0-5(+)\nUUUUU\n>chr1:0-5(+)\nUUU\nUU\n",
    "CD-2.positive.fa": ">chrX:7-9(-)\nAC\n",
    "CD-2.negative.fa": ">chrM:1-3(+)\nGU\n>chrM:2-4(+)\nUU\n>chrM:3-5(+)\nUA\n",
}
AB1 = [
    ("chr2:10-15(-)", "ACGTN", 0, "chr2", 10, 15, "-"),
    ("chr2:30-35(+)", "GGGGG", 0, "chr2", 30, 35, "+"),
    ("chr1:0-5(+)", "TTTTT", 1, "chr1", 0, 5, "+"),
    ("chr1:0-5(+).2", "TTTTT", 1, "chr1", 0, 5, "+"),
]


def rows(table):
    """Rows without `group`, which is the id in every one."""
    assert list(table.columns) == COLUMNS
    assert table["id"].is_unique and (table["group"] == table["id"]).all()
    return list(table.drop(columns="group").itertuples(index=False, name=None))


def headings():
    return "".join(f"==> train_dir/{name} <==\n{text}\n" for name, text in FILES.items()).encode()


def archive():
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        folder = tarfile.TarInfo("train_dir")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for name, text in FILES.items():
            member = tarfile.TarInfo(f"train_dir/{name}")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return stream.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        headings(),
        headings().replace(b"\n", b"\r\n"),
        archive(),
        gzip.compress(archive()),
    ],
    ids=["headings", "dos", "tar", "tar.gz"],
)
@pytest.mark.parametrize("chunk", [1, 40, 1 << 24])
def test_rbpsuite(tmp_path, monkeypatch, data, chunk):
    monkeypatch.setattr(rbp_readers, "_CHUNK", chunk)
    path = tmp_path / "all.txt"
    path.write_bytes(data)
    assert rows(read_rbpsuite(path, "AB1")) == AB1
    assert [row[:3] for row in rows(read_rbpsuite(path, "CD-2"))] == [
        ("chrX:7-9(-)", "AC", 1),
        ("chrM:1-3(+)", "GT", 0),
        ("chrM:2-4(+)", "TT", 0),
        ("chrM:3-5(+)", "TA", 0),
    ]
    assert list_rbpsuite(path) == {
        "AB1": {"positive": 2, "negative": 2},
        "CD-2": {"positive": 1, "negative": 3},
    }


def test_rbpsuite_an_empty_member_of_an_archive_hides_nothing(tmp_path, monkeypatch):
    monkeypatch.setitem(FILES, "AB1.negative.fa", "")
    path = tmp_path / "all.tar"
    path.write_bytes(archive())
    assert list_rbpsuite(path) == {
        "AB1": {"positive": 2, "negative": 0},
        "CD-2": {"positive": 1, "negative": 3},
    }
    with pytest.raises(InputError, match=r"no records of AB1\.negative;"):
        read_rbpsuite(path, "AB1")


@pytest.mark.parametrize(
    "text, message",
    [
        (">chr1:0-5(+)\nACGTA\n", "'>chr1.*' comes before the first line with 'train_dir'"),
        (">chr1:0-5(+)\nACGTA\ntrain_dir/X.positive\n>chr1:0-5(+)\nACGTA\n", "'>chr1.*ACGTA' comes before the first"),
        ("\n\n", "no line with 'train_dir'"),
        ("train_dir/\n>chr1:0-5(+)\nACGTA\n", "name of an RBP"),
        ("train_dir/Z.positive\n>chr1:0-2(+)\nAC\n", r"no records of X\.negative and X\.positive; .* 1 RBPs: Z"),
        ("train_dir/X.positive\nACGTA\n>chr1:0-5(+)\nACGTA\n", "'ACGTA' comes before the first '>'"),
        ("train_dir/X.positive\n>\nACGTA\n", "empty header; every record needs an id"),
        ("train_dir/X.positive\n>chr1:0-5(+)\nACG-A\n", r"chr1:0-5\(\+\)'.*'-' at position 4"),
        ("train_dir/X.positive\n>chr1:0-5(+)\nACGA\n", r"chr1:0-5\(\+\)'.*position has 5 nt, the sequence 4"),
        ("train_dir/X.positive\n>chr1:0-5(+)\n>chr1:0-2(+)\nAC\n", r"chr1:0-5\(\+\)'.*no sequence"),
        ("train_dir/X.positive\n>chr1:0-5(+)\nAC\u00dfTA\n", "letter 'ß' at position 3"),
        ("train_dir/" + "X" * 2_000_000 + "\n", "name of an RBP"),
    ],
)  # fmt: skip
def test_rbpsuite_refuses(tmp_path, text, message):
    path = tmp_path / "all.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message) as error:
        read_rbpsuite(path, "X")
    assert str(path) in str(error.value)


def test_damaged_and_missing_files(tmp_path):
    path = tmp_path / "all.tar.gz"
    with pytest.raises(InputError, match="no such file"):
        list_rbpsuite(path)
    path.write_bytes(gzip.compress(archive())[:-20])
    with pytest.raises(InputError, match="damaged gzip"):
        list_rbpsuite(path)
    with pytest.raises(InputError, match="no such file"):
        read_table(tmp_path / "none.tsv")


def test_fasta_pair_takes_places_of_bedtools_only(tmp_path):
    positives, negatives = tmp_path / "p.fa", tmp_path / "n.fa.gz"
    positives.write_text(
        ">peak7::chr1:4-8(-)\nacgu\n>peak8\nGGG\n>chr1:4-8\nACGT\n>chr1:4-8(-)\nACGT\n"
    )
    negatives.write_bytes(gzip.compress(b">a b\nAC\nNN\n"))
    assert rows(read_fasta_pair(positives, negatives)) == [
        ("chr1:4-8(-)", "ACGT", 1, "chr1", 4, 8, "-"),
        ("positive-2", "GGG", 1, "", -1, -1, ""),
        ("positive-3", "ACGT", 1, "", -1, -1, ""),
        ("chr1:4-8(-).2", "ACGT", 1, "chr1", 4, 8, "-"),
        ("negative-1", "ACNN", 0, "", -1, -1, ""),
    ]  # fmt: skip
    negatives.write_text(">chr1:4-8(-)\nACGTA\n")
    with pytest.raises(
        InputError, match=r"n\.fa\.gz: record 'chr1:4-8\(-\)': the position has 4 nt"
    ):
        read_fasta_pair(positives, negatives)


@pytest.mark.parametrize("header", ["", "sequence\tlabel\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_table_of_sequences_or_kmers(tmp_path, header, packed):
    data = (header + "ACGUA\t1\nacg cgt gta tan \t0\n\nAC CG\t0\nA C G\t1\n").encode()
    path = tmp_path / "dev.tsv"
    path.write_bytes(gzip.compress(data) if packed else data)
    assert rows(read_table(path)) == [
        ("positive-1", "ACGTA", 1, "", -1, -1, ""),
        ("negative-1", "ACGTAN", 0, "", -1, -1, ""),
        ("negative-2", "ACG", 0, "", -1, -1, ""),
        ("positive-2", "ACG", 1, "", -1, -1, ""),
    ]


@pytest.mark.parametrize("k", [1, 2, 3, 6])
@pytest.mark.parametrize("length", [6, 7, 8, 101])
def test_kmers_are_joined_to_what_they_were_cut_from(k, length):
    sequence = ("ACGTTGCAAC" * 11)[:length]
    words = " ".join(sequence[i : i + k] for i in range(length - k + 1))
    assert join_kmers(words) == sequence


@pytest.mark.parametrize(
    "line, message",
    [
        ("ACG CGT ATT\t1", "3-mers"),
        ("ACG GTA\t1", "3-mers"),
        ("ACG CG\t1", "3-mers"),
        ("ACG CGTA\t1", "3-mers"),
        ("ACG  CGT\t1", "3-mers"),
        ("ACG CGTxGTA\t1", "3-mers"),
        ("ACGT 1", "1 tab-separated cells; expected sequence, tab and label, found 'ACGT 1'"),
        ("ACGTACGT" * 20 + "\t-1", r"label '-1'; expected 0 or 1 \(sequence 'ACGTACGT.*\.\.\.'\)"),
        ("ACGT\t1\tx", "3 tab-separated cells; expected sequence, tab and label"),
        ("sequence\tlabel", "label 'label'; expected 0 or 1"),
        ("AC-T\t1", "'-' at position 3"),
        ("\t1", "no sequence before label 1"),
        ("ACGT\t١", "label '١'; expected 0 or 1"),
    ],
)
def test_table_refuses(tmp_path, line, message):
    path = tmp_path / "dev.tsv"
    path.write_text(f"sequence\tlabel\nACGT\t1\n{line}\n")
    with pytest.raises(InputError, match=f"dev.tsv: line 3.*{message}"):
        read_table(path)


def test_table_without_rows(tmp_path):
    path = tmp_path / "dev.tsv"
    path.write_text("sequence\tlabel\n")
    with pytest.raises(InputError, match="no rows"):
        read_table(path)


@pytest.mark.parametrize("header", ["Label\tSequence\t\t", "class\tSEQ"])
def test_tables_as_spreadsheets_save_them(tmp_path, header):
    path = tmp_path / "dev.tsv"
    path.write_bytes(b"\xef\xbb\xbf" + f"{header}\r\n1\tACGT\t\r\n0 \tAC CG\t\t\r\n".encode())
    assert [row[:3] for row in rows(read_table(path))] == [
        ("positive-1", "ACGT", 1),
        ("negative-1", "ACG", 0),
    ]


def test_places_of_graphprot(tmp_path, caplog):
    """The header has the place of the viewpoint, in capitals; flanks lie on both sides of it, along the strand."""
    positives, negatives = tmp_path / "p.fa", tmp_path / "n.fa"
    positives.write_text(
        ">a;chr8,100,104,+\nccACGUggg\n>b;chr8,100,104,-\nccACGUggg\n>c;chr8,100,104,+\nACGT\n"
        ">d;chr8,100,104,+;x\nacgt\n>e;chr8,100,105,+\nccACGUggg\n>f;chr8,1,5,+\nccACGUggg\n"
    )
    negatives.write_text(">n\nAC\n")
    assert [row[:2] + row[3:] for row in rows(read_fasta_pair(positives, negatives))] == [
        ("chr8:98-107(+)", "CCACGTGGG", "chr8", 98, 107, "+"),
        ("chr8:97-106(-)", "CCACGTGGG", "chr8", 97, 106, "-"),
        ("chr8:100-104(+)", "ACGT", "chr8", 100, 104, "+"),
        ("chr8:100-104(+).2", "ACGT", "chr8", 100, 104, "+"),
        ("positive-5", "CCACGTGGG", "", -1, -1, ""),
        ("positive-6", "CCACGTGGG", "", -1, -1, ""),
        ("negative-1", "AC", "", -1, -1, ""),
    ]
    assert "p.fa: 2 headers with a position that is neither as long as" in caplog.text
    assert "n.fa" not in caplog.text


def test_a_sequence_without_line_end_in_an_archive_is_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setitem(FILES, "AB1.negative.fa", ">n1\nACGT\nGG")
    path = tmp_path / "all.tar"
    path.write_bytes(archive())
    assert rows(read_rbpsuite(path, "AB1"))[0][:3] == ("negative-1", "ACGTGG", 0)


def test_strazar_counts_from_one_with_both_ends(tmp_path):
    path = tmp_path / "sequences.fa.gz"
    path.write_bytes(
        gzip.compress(b"> chr1,+,101,106; class:0\nACGU\nAC\n> chrX,-,7,7; class:1\nG\n")
    )
    assert rows(read_strazar(path)) == [
        ("chr1:100-106(+)", "ACGTAC", 0, "chr1", 100, 106, "+"),
        ("chrX:6-7(-)", "G", 1, "chrX", 6, 7, "-"),
    ]


@pytest.mark.parametrize(
    "record, message",
    [
        ("> chr1,+,101,106\nACGTAC", "expected a header like"),
        ("> chr1,+,101,106; class:2\nACGTAC", "expected a header like"),
        ("> chr1,+,101,106; class:1\nACGTA", "position has 6 nt, the sequence 5"),
        ("> chr1,+,0,1; class:1\nAC", "begins before the first base"),
        (
            "> chr1,+,1000000000000000000001,1000000000000000000002; class:1\nAC",
            "expected a header like",
        ),
    ],
)
def test_strazar_refuses(tmp_path, record, message):
    path = tmp_path / "sequences.fa"
    path.write_text(record + "\n")
    with pytest.raises(InputError, match=f"sequences.fa: record 'chr1,.*{message}"):
        read_strazar(path)


def test_types(tmp_path):
    path = tmp_path / "dev.tsv"
    path.write_text("ACGT\t1\n")
    table = read_table(path)
    assert table["label"].dtype == "int8"
    assert table["start"].dtype == table["end"].dtype == "int64"
    assert all(pd.api.types.is_string_dtype(table[name]) for name in ("id", "seqname", "strand"))


def test_a_directory_of_fasta_pairs_gives_its_sheet(tmp_path, capsys):
    pairs = (
        "QKI.positive.fa.gz",
        "QKI.negative.fa.gz",
        "AGO2_positive.fasta",
        "AGO2_negative.fasta",
    )
    for name in (*pairs, "a.txt"):
        (tmp_path / name).touch()
    assert main(["rbp-sheet", str(tmp_path)]) == 0
    sheet = tmp_path / "x.tsv"
    sheet.write_text(capsys.readouterr().out)
    assert read_sheet(sheet, "fasta") == [
        {"rbp": rbp, "positives": f"{tmp_path}/{pair[0]}", "negatives": f"{tmp_path}/{pair[1]}"}
        for rbp, pair in {
            "AGO2": ("AGO2_positive.fasta", "AGO2_negative.fasta"),
            "QKI": ("QKI.positive.fa.gz", "QKI.negative.fa.gz"),
        }.items()
    ]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "no FASTA pairs; expected files such as"),
        (["A.positive.fa"], r"A\.positive\.fa exists, but no file A\.negative\.fa"),
        (["A.positive.fa", "A_positive.fa"], "are both positive of A"),
    ],
)
def test_directories_without_pairs(tmp_path, names, message):
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(InputError, match=message):
        list_fasta_pairs(tmp_path)


@pytest.mark.parametrize("name", ["nothing.txt", "nothing.tsv"])
def test_a_sheet_of_no_file_is_a_clean_error(tmp_path, capsys, monkeypatch, name):
    assert main(["rbp-sheet", str(tmp_path / name)]) == 1
    assert capsys.readouterr().err.startswith(f"Error: {tmp_path / name}: ")

    def denied(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(rbp_readers, "list_rbpsuite", denied)
    assert main(["rbp-sheet", str(tmp_path / "x.txt")]) == 1
    assert "x.txt: Permission denied" in capsys.readouterr().err
