"""Readers of 3' ends, and counts inside windows, against loops over lines."""

import gzip
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from nucleotune.errors import InputError
from nucleotune.genome.counts import count_in_windows
from nucleotune.genome.ends import (
    combine,
    read_bed,
    read_bedgraphs,
    read_intact_orfs,
    read_table,
    read_tifseq,
)

TSEDALL = """chr\tstrand\tt5\tt3\typd\tgal\tlypd\tlgal\tnypd\tngal
1\t+\t100\t500\t1\t2\t3\t4\t5\t6
1\t+\t120\t500\t10\t0\t0\t0\t0\t1
1\t-\t900\t500\t0\t7\t0\t0\t0\t0
16\t+\t100\t499\t0\t0\t0\t0\t2\t0
2\t+\t100\t400\t0\t0\t0\t0\t0\t0
"""
S1 = """chr strand t5 t3 ypd gal type name
1 + 7235 9049 4 0 Covering one intact ORF YAL067C
1 - 9100 7000 1 2 Covering one intact ORF YAL068C
2 + 10 9049 0 3 Overlap 3\x92 of one \x85 ORF YBL001W
2 + 10 20 0 1 Intergenic transcripts NA
"""


def write(tmp_path, text, name="file", encoding="latin-1"):
    path = tmp_path / name
    data = text.encode(encoding)
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def places(table):
    """{(seqname, position, strand): counts}; no place twice."""
    tracks = [name for name in table if name not in ("seqname", "position", "strand")]
    assert not table.duplicated(["seqname", "position", "strand"]).any()
    assert (table[tracks].dtypes == np.int64).all() and table["position"].dtype == np.int64
    rows = zip(table["seqname"], table["position"], table["strand"], strict=True)
    return dict(zip(rows, map(tuple, table[tracks].to_numpy().tolist()), strict=True))


@pytest.mark.parametrize("name", ["tsedall.txt", "tsedall.txt.gz"])
def test_tsedall(tmp_path, name):
    table = read_tifseq(write(tmp_path, TSEDALL, name))
    assert table.columns.tolist() == ["seqname", "position", "strand", "glucose", "galactose"]
    assert places(table) == {
        ("1", 499, "+"): (19, 13),
        ("1", 499, "-"): (0, 7),
        ("16", 498, "+"): (2, 0),
    }
    assert read_intact_orfs(write(tmp_path, TSEDALL)) is None


def test_chosen_columns(tmp_path):
    path = write(tmp_path, TSEDALL)
    assert places(read_tifseq(path, {"new": ["nypd", "ngal"]})) == {
        ("1", 499, "+"): (12,),
        ("16", 498, "+"): (2,),
    }
    with pytest.raises(InputError, match="no column 'xypd'.*ngal"):
        read_tifseq(path, {"new": ["xypd"]})


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_s1_has_types_of_several_words(tmp_path, end):
    path = write(tmp_path, S1.replace("\n", end))
    assert places(read_tifseq(path)) == {
        ("1", 9048, "+"): (4, 0),
        ("1", 6999, "-"): (1, 2),
        ("2", 9048, "+"): (0, 3),
        ("2", 19, "+"): (0, 1),
    }
    assert read_intact_orfs(path).values.tolist() == [
        ["1", 7234, 9049, "+", "YAL067C"],
        ["1", 6999, 9100, "-", "YAL068C"],
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\t500\t1\t", "\t0\t1\t", "line 2, t3: .* at least 1, found '0'"),
        ("\t500\t10\t", "\t500\t1.5\t", "line 3, ypd: expected a whole number.*'1.5'"),
        ("\t500\t10\t", "\t500\t-1\t", "line 3, ypd: .*'-1'"),
        ("\t500\t10\t", "\t500\t\t", "line 3, ypd: .*''"),
        ("1\t-\t", "1\t*\t", r"line 4, strand: expected \+ or -, found '\*'"),
        ("chr\tstrand", "seq\tstrand", "expected a header that begins with chr strand t5 t3"),
    ],
)
def test_wrong_tsedall(tmp_path, old, new, message):
    assert old in TSEDALL
    with pytest.raises(InputError, match=message):
        read_tifseq(write(tmp_path, TSEDALL.replace(old, new, 1)))


def test_wrong_s1(tmp_path):
    with pytest.raises(InputError, match=r"line 3: expected chr .* found '1 - 9100'"):
        read_tifseq(
            write(
                tmp_path,
                S1.replace("1 - 9100 7000 1 2 Covering one intact ORF YAL068C", "1 - 9100"),
            )
        )
    with pytest.raises(InputError, match="line 3, gal: .*'x'"):
        read_tifseq(write(tmp_path, S1.replace(" 1 2 Cov", " 1 x Cov")))


def test_bed(tmp_path):
    text = (
        "track name=ends\n#comment\n"
        "chrI\t9\t10\ta\t4\t+\t7\nchrI\t9\t10\tb\t2\t+\t1\nchrI\t9\t15\tc\t3\t-\t0\nchrI\t9\t15\td\t5\t+\t2\n"
    )
    assert places(read_bed(write(tmp_path, text))) == {
        ("chrI", 9, "+"): (6,),
        ("chrI", 9, "-"): (3,),
        ("chrI", 14, "+"): (5,),
    }
    table = read_bed(write(tmp_path, text.replace("\t", " ")), "cold", 7)
    assert table.columns[-1] == "cold"
    assert places(table) == {("chrI", 9, "+"): (8,), ("chrI", 14, "+"): (2,)}
    with pytest.raises(InputError, match="at least 8 columns, found 7"):
        read_bed(write(tmp_path, text), column=8)
    with pytest.raises(InputError, match="no records"):
        read_bed(write(tmp_path, "#nothing\n"))
    with pytest.raises(InputError, match="line 1: 9 to 9"):
        read_bed(write(tmp_path, "chrI\t9\t9\ta\t4\t+\n"))


@pytest.mark.parametrize("sign", ["", "-"])
def test_bedgraphs(tmp_path, sign):
    plus = write(tmp_path, "track type=bedGraph\nI\t3\t6\t2.0\nI\t8\t9\t1\nI\t9\t90\t0\n", "plus")
    minus = write(tmp_path, f"I\t3\t4\t{sign}5\nI\t4\t9\t0\n", "minus")
    assert places(read_bedgraphs(plus, minus)) == {
        **{("I", position, "+"): (2,) for position in (3, 4, 5)},
        ("I", 8, "+"): (1,),
        ("I", 3, "-"): (5,),
    }
    with pytest.raises(InputError, match="plus: line 1, column 4: .*'-2'"):
        read_bedgraphs(write(tmp_path, "I\t3\t6\t-2\n", "plus"), minus)
    with pytest.raises(InputError, match="not counts scaled to library size"):
        read_bedgraphs(write(tmp_path, "I\t3\t6\t0.37\n", "plus"), minus)


def test_lines_of_browsers_anywhere(tmp_path):
    text = "browser position chrI\ntrack name=a\nI\t3\t4\t2\n\n#more\ntrack name=b\nI\t5\t6\t1\n"
    path = write(tmp_path, text)
    minus = write(tmp_path, "I\t3\t4\t5\n", "minus")
    found = places(read_bedgraphs(path, minus))
    assert found[("I", 3, "+")] == (2,) and found[("I", 5, "+")] == (1,)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("I\t9\t10\ta\tNA\t+", "line 4, column 5: .*'NA'; write 0 where there are no reads$"),
        ("I\t9\tx\ta\t4\t+", "line 4, column 3: expected a whole number of at least 1, found 'x'$"),
        ("I\t9\t10\ta\t4", "line 4: expected 6 columns, as in line 2, found"),
        ("I\t9\t10\ta\t4\t+\tmore", "line 4: expected 6 columns, as in line 2, found"),
        ("I\t9\t10\ta\t0.5\t+", "line 4, column 5: .*'0.5'. Give counts of reads"),
        ("I\t9\t10\ta\t5\t.", r"line 4, column 6: expected \+ or -, found '.'"),
    ],
)
def test_wrong_records_are_named_by_their_line(tmp_path, record, message):
    path = write(tmp_path, f"#comment\nI\t9\t10\ta\t4\t+\n\n{record}\n")
    with pytest.raises(InputError, match=f"file: {message}"):
        read_bed(path)


def test_a_header_is_no_record(tmp_path):
    path = write(tmp_path, "chrom\tstart\tend\tname\tscore\tstrand\nI\t9\t10\ta\t4\t+\n")
    with pytest.raises(InputError, match="line 1, column 2: .*'start'. Is the line a header"):
        read_bed(path)


def test_coverage_is_no_count_of_ends(tmp_path):
    minus = write(tmp_path, "I\t3\t4\t5\n", "minus")
    rows = [f"I\t{100 * i}\t{100 * i + 75}\t{1 + i}\n" for i in range(9)]
    with pytest.raises(InputError, match="plus: 100% of the intervals .* not coverage"):
        read_bedgraphs(write(tmp_path, "".join(rows), "plus"), minus)


def test_table_between_tabs_or_commas(tmp_path):
    text = "name,contig,sense,coord,cold,warm\na,I,+,10.0,1,2.0\nb,I,+,10,3,0\nc,II,-,1,0,1\n"
    names = {"seqname": "contig", "position": "coord", "strand": "sense"}
    tracks = {"both": ["cold", "warm"], "cold": ["cold"]}
    for separator in ",\t":
        path = write(tmp_path, text.replace(",", separator))
        assert places(read_table(path, tracks=tracks, **names)) == {
            ("I", 9, "+"): (6, 4),
            ("II", 0, "-"): (1, 0),
        }
        assert ("I", 10, "+") in places(read_table(path, tracks=tracks, first=0, **names))
    with pytest.raises(InputError, match="no column 'strand'; it has name, contig"):
        read_table(path, tracks=tracks, seqname="contig", position="coord")
    with pytest.raises(InputError, match="no column 'hot'"):
        read_table(path, tracks={"a": ["hot"]}, **names)
    with pytest.raises(InputError, match="line 2, coord: .* at least 11"):
        read_table(path, tracks=tracks, first=11, **names)


def test_files_of_several_conditions_together(tmp_path):
    one = read_bed(write(tmp_path, "I\t9\t10\ta\t4\t+\nI\t11\t12\ta\t1\t-\n"), "cold")
    two = read_bed(write(tmp_path, "II\t9\t10\ta\t7\t+\nI\t9\t10\ta\t2\t+\n"), "warm")
    assert places(combine([one, two, one])) == {
        ("I", 9, "+"): (8, 2),
        ("I", 11, "-"): (2, 0),
        ("II", 9, "+"): (0, 7),
    }


def test_counts_in_windows_are_those_of_a_loop():
    rng = np.random.default_rng(3)
    n, length = 400, 30

    def contigs(names, n):
        return pd.Series(rng.choice(names, n)).astype("category")

    ends = pd.DataFrame(
        {
            "seqname": contigs(["II", "I", "Mito"], n),
            "position": rng.integers(0, 300, n),
            "strand": pd.Categorical(rng.choice(["+", "-"], n), ["+", "-"]),
            "cold": rng.integers(0, 9, n),
            "warm": rng.integers(0, 9, n),
        }
    )
    start = rng.integers(0, 300, 60)
    windows = pd.DataFrame(
        {
            "seqname": contigs(["I", "II", "III"], 60),
            "start": start,
            "end": start + length,
            "strand": rng.choice(["+", "-"], 60),
        }
    )
    expected, times = np.zeros((60, 2, length), int), Counter()
    for w, window in enumerate(windows.itertuples()):
        for row in ends.itertuples():
            inside = window.start <= row.position < window.end
            if inside and (row.seqname, row.strand) == (window.seqname, window.strand):
                offset = row.position - window.start
                offset = offset if row.strand == "+" else length - 1 - offset
                expected[w, :, offset] += (row.cold, row.warm)
                times[row.Index] += 1
    counts, n_windows = count_in_windows(ends, windows)
    assert expected.any() and counts.dtype == np.int64
    np.testing.assert_array_equal(counts, expected)
    assert n_windows.tolist() == [times[row] for row in range(n)]
    assert max(times.values()) > 1
    counts, n_windows = count_in_windows(ends.iloc[:0], windows)
    assert counts.shape == (60, 2, length) and not counts.any() and not len(n_windows)


TABLE = "seqname\tposition\tstrand\treads\tname\n"


def read(tmp_path, text, name="file"):
    return places(read_table(write(tmp_path, text, name, "utf-8"), tracks={"reads": ["reads"]}))


def test_quotes_join_no_rows(tmp_path):
    rows = 'chrI\t10\t+\t5\t"3 prime\nchrI\t20\t+\t6\tx\nchrI\t30\t+\t7\ty"\nchrI\t40\t+\t8\tz\n'
    expected = {("chrI", 10 * n - 1, "+"): (4 + n,) for n in (1, 2, 3, 4)}
    assert read(tmp_path, TABLE + rows) == expected
    assert read(tmp_path, (TABLE + rows).replace("\t", ",")) == expected
    bed = "".join(f"chrI\t{n}\t{n + 1}\t{name}\t1\t+\n" for n, name in enumerate(('"a', "b", 'c"')))
    assert len(read_bed(write(tmp_path, bed))) == 3
    tif = TSEDALL.replace("ypd\tgal", 'y"pd\tgal').replace("1\t+\t100", '"1\t+\t100', 1)
    assert ('"1', 499, "+") in places(read_tifseq(write(tmp_path, tif), {"a": ["gal"]}))


def test_cells_in_quotes_lose_them(tmp_path):
    text = '"seqname","position","strand","reads","name"\n"chrI","10","+",5,"a, ""b"""\n'
    assert read(tmp_path, text) == {("chrI", 9, "+"): (5,)}
    text = '"seqname"\t"position"\t"strand"\t"reads"\n"chrI"\t10\t"-"\t5\n'
    assert read(tmp_path, text) == {("chrI", 9, "-"): (5,)}


def test_contigs_are_texts(tmp_path):
    names = ("1.1", "1.10", "01", "1", "1e1", "10", "1e400", "nan", "True")
    text = TABLE + "".join(f"{name}\t10\t+\t{n}\t\n" for n, name in enumerate(names, start=1))
    assert read(tmp_path, text) == {(name, 9, "+"): (n,) for n, name in enumerate(names, start=1)}
    bed = "".join(f"{name}\t9\t10\ta\t{n}\t+\n" for n, name in enumerate(names, start=1))
    expected = {(name, 9, "+"): (n,) for n, name in enumerate(names, start=1)}
    assert places(read_bed(write(tmp_path, bed))) == expected
    minus = write(tmp_path, "1.10\t3\t4\t5\n1.1\t3\t4\t6\n", "minus")
    plus = write(tmp_path, "1\t3\t4\t1\n", "plus")
    assert places(read_bedgraphs(plus, minus))[("1.10", 3, "-")] == (5,)
    tif = write(tmp_path, TSEDALL.replace("\n16\t", "\n1.10\t").replace("\n2\t", "\n1.1\t"))
    assert ("1.10", 498, "+") in places(read_tifseq(tif))


def test_names_of_columns_are_unique(tmp_path):
    text = TABLE.replace("name", "reads") + "I\t1\t+\t2\t3\n"
    with pytest.raises(InputError, match="file: line 1: columns 4, 5 are all called 'reads'"):
        read(tmp_path, text)
    with pytest.raises(InputError, match="line 1: columns 5, 7 are all called 'ypd'"):
        read_tifseq(write(tmp_path, TSEDALL.replace("lypd", "ypd")))
    with pytest.raises(
        InputError, match="no column 'hot'; it has seqname, position, strand, reads, name$"
    ):
        read_table(write(tmp_path, TABLE + "I\t1\t+\t2\tx\n"), tracks={"a": ["hot"]})


def test_tabs_and_blanks_at_the_ends_of_lines_are_no_columns(tmp_path):
    text = TABLE + "I\t1\t+\t2\tx\n\n \nII\t2\t-\t3\ty\n"
    expected = {("I", 0, "+"): (2,), ("II", 1, "-"): (3,)}
    for end in ("\n", "\t\n", "\t\t \r\n", " \r"):
        assert read(tmp_path, "\ufeff" + text.replace("\n", end)) == expected
    with pytest.raises(
        InputError, match=r"line 2: expected 5 columns, as in the header \(line 1\), found 4"
    ):
        read(tmp_path, TABLE + "I\t1\t+\t2\n")
    with pytest.raises(InputError, match="line 3, reads: .*found ''"):
        read(tmp_path, TABLE + "I\t1\t+\t2\tx\nI\t1\t+\t\tx\n")


@pytest.mark.parametrize(
    ("count", "message"),
    [
        ("1e300", "at least 0, found '1e300', nor more than 1e.15"),
        ("18446744073709551615", "found '18446744073709551615', nor more"),
        ("9223372036854775808", "nor more"),
        ("1e25", "nor more"),
        ("inf", "found 'inf'; write 0"),
        ("1_000", "found '1_000'; write 0"),
        ("\u0661", "found '\u0661'; write 0"),
        ("-1", "found '-1'. Give counts of reads"),
    ],
)
def test_counts_have_bounds(tmp_path, count, message):
    with pytest.raises(InputError, match=f"line 2, reads: expected a whole number .*{message}"):
        read(tmp_path, TABLE + f"I\t1\t+\t{count}\tx\n")
    most = "1000000000000000"
    assert read(tmp_path, TABLE + f"I\t1\t+\t{most}\tx\n") == {("I", 0, "+"): (10**15,)}
    with pytest.raises(InputError, match="file: more than 1e.15 reads in track 'reads'"):
        read(tmp_path, TABLE + f"I\t1\t+\t{most}\tx\nI\t1\t+\t1\tx\n")


def test_a_wide_interval_with_reads_is_refused(tmp_path):
    rows = "".join(f"I\t{n}\t{n + 1}\t1\n" for n in range(100))
    minus = write(tmp_path, "I\t3\t4\t5\n", "minus")
    plus = write(tmp_path, rows + "I\t200\t900000000000000\t1\n", "plus")
    with pytest.raises(
        InputError, match="plus: line 101: 1 reads at each of 899999999999800 consecutive positions"
    ):
        read_bedgraphs(plus, minus)
    wide = write(tmp_path, rows + "I\t200\t900000000000000\t0\n", "plus")
    assert len(read_bedgraphs(wide, minus)) == 101


def test_columns_between_blanks_hold_what_unicode_calls_blank(tmp_path):
    bed = write(tmp_path, "chr\u2028I 9 10 a 4 +\n", encoding="utf-8")
    assert places(read_bed(bed)) == {("chr\u2028I", 9, "+"): (4,)}
