"""GCT: what is read, and what is refused."""

import gzip

import pytest

from nucleotune.errors import InputError
from nucleotune.genome.expression import read_gct

GCT = (
    "#1.2\n"
    "3\t2\n"
    "Name\tDescription\tWhole Blood\tBrain - Cortex\n"
    "ENSG00000223972.5\tDDX11L1\t0\t1.5\n"
    "ENSG00000002586.18_PAR_Y\tCD99\t4.064\t3e2\n"
    "YAL067W-A\tNA\t0.25\t0\n"
)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_reads_genes_and_tissues(tmp_path, end, pack):
    path = tmp_path / "a.gct.gz"
    path.write_bytes(pack(GCT.replace("\n", end).encode()))
    table = read_gct(path)
    assert table.index.tolist() == ["ENSG00000223972", "ENSG00000002586_PAR_Y", "YAL067W-A"]
    assert table.index.name == "gene_id"
    assert table.columns.tolist() == ["gene_version", "Whole Blood", "Brain - Cortex"]
    assert table["gene_version"].tolist()[:2] == [5, 18]
    assert table["gene_version"].isna().tolist() == [False, False, True]
    assert table["gene_version"].dtype == "Int32"
    assert table.iloc[:, 1:].to_numpy().tolist() == [[0, 1.5], [4.064, 300], [0.25, 0]]


def test_tabs_at_the_ends_of_lines_are_no_columns(tmp_path):
    path = tmp_path / "a.gct"
    path.write_text(GCT)
    expected = read_gct(path)
    path.write_bytes(b"\xef\xbb\xbf" + GCT.replace("\n", "\t\t \r\n").encode())
    assert read_gct(path).equals(expected)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("#1.2", "#1.3", "line 1: expected #1.2"),
        ("3\t2", "3", "line 2"),
        ("3\t2", "4\t2", "3 genes, but its beginning states 4"),
        ("3\t2", "-3\t2", "line 2: expected the numbers of genes and tissues"),
        ("3\t2", "0\t2", "line 2: expected the numbers"),
        ("3\t2", "99999999999999\t2", "3 genes, but its beginning states 99999999999999"),
        ("3\t2", "2\t2", "line 6: more genes than the 2"),
        ("3\t2", "3\t3", "line 3: expected Name, Description and 3 tissues"),
        ("Name\t", "Id\t", "line 3"),
        ("1.5", "high", "line 4: gene 'ENSG00000223972.5': expected 2 .* found 'high'"),
        ("1.5", "-1.5", "line 4: .*expected 2 finite numbers of at least 0, found '-1.5'"),
        ("1.5", "nan", "line 4: .*expected 2 finite numbers of at least 0, found 'nan'"),
        ("1.5", "inf", "line 4: .*expected 2 finite numbers of at least 0, found 'inf'"),
        ("1.5", "1_5", "line 4: .*expected 2 finite numbers of at least 0, found '1_5'"),
        ("1.5", "", "line 4: .*expected 2 finite numbers of at least 0, found ''"),
        ("#1.2\n3\t2\n", "#1.2\n\n3\t2\n\n\nx", "line 6: expected Name"),
        ("ENSG00000223972.5\tDDX11L1\t0\t1.5", "\n\nG\tD\t0\tx", "line 6: gene 'G'"),
        ("1.5", "1.5\t2", "line 4: .*found 3 values"),
        ("\t1.5", "", "line 4: .*found 1 values"),
        ("YAL067W-A", "ENSG00000223972.6", "gene 'ENSG00000223972' occurs twice"),
        ("Brain - Cortex", "Whole Blood", "line 3: columns 3, 4 are all called 'Whole Blood'"),
        ("DDX11L1", "\udcff", "line 4: not UTF-8 text"),
    ],
)
def test_bad_files_are_refused(tmp_path, old, new, expected):
    path = tmp_path / "a.gct"
    path.write_bytes(GCT.replace(old, new).encode(errors="surrogateescape"))
    with pytest.raises(InputError, match=expected):
        read_gct(path)


def test_damaged_and_missing_files_are_refused(tmp_path):
    path = tmp_path / "a.gct.gz"
    path.write_bytes(gzip.compress(GCT.encode())[:-9])
    with pytest.raises(InputError, match="damaged gzip"):
        read_gct(path)
    with pytest.raises(InputError, match="no such file"):
        read_gct(tmp_path / "b.gct")
