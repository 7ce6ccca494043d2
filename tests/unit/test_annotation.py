"""Reading GTF and GFF3: the compiled reader against an obvious slow one, and what each maker's form means."""

import gzip
import os
import random
import re

import numpy as np
import pandas as pd
import pytest

from nucleotune.errors import InputError
from nucleotune.genome import scanner
from nucleotune.genome.annotation import (
    EXTRA_COLUMNS,
    contig_names,
    genes,
    read_annotation,
    read_annotation_parquet,
    read_with_contigs,
    write_annotation,
)
from nucleotune.genome.strings import StringTable, intern

ENSEMBL_GTF = """\
#!genome-build GRCh38.p14
1\thavana\tgene\t11869\t14409\t.\t+\t.\tgene_id "ENSG00000290825"; gene_version "1"; gene_name "DDX11L2"; gene_biotype "lncRNA";
1\thavana\ttranscript\t11869\t14409\t.\t+\t.\tgene_id "ENSG00000290825"; gene_version "1"; transcript_id "ENST00000456328"; transcript_version "2"; gene_name "DDX11L2"; gene_biotype "lncRNA"; transcript_biotype "lncRNA"; tag "gencode_basic"; ccds_id "CCDS1"; tag "Ensembl_canonical"; transcript_support_level "5 (assigned to previous version 4)";

1\thavana\texon\t11869\t12227\t.\t+\t.\tgene_id "ENSG00000290825"; gene_version "1"; transcript_id "ENST00000456328"; transcript_version "2"; exon_number "1"; gene_name "DDX11L2"; gene_biotype "lncRNA"; transcript_biotype "lncRNA"; tag "gencode_basic"; tag "Ensembl_canonical";
1\tensembl\tgene\t14404\t29570\t.\t-\t.\tgene_id "ENSG00000227232"; gene_version "5"; gene_biotype "protein_coding";
"""  # noqa: E501

GENCODE_GTF = """\
chrY\tHAVANA\tgene\t276322\t303356\t.\t+\t.\tgene_id "ENSG00000182378.15_PAR_Y"; gene_type "protein_coding"; gene_name "PLCXD1"; level 2; tag "PAR";
chrY\tHAVANA\ttranscript\t276322\t303356\t.\t+\t.\tgene_id "ENSG00000182378.15_PAR_Y"; transcript_id "ENST00000399012.6_PAR_Y"; gene_type "protein_coding"; gene_name "PLCXD1"; transcript_type "protein_coding"; level 2; tag "basic"; tag "appris_principal_1"; transcript_support_level "NA";
chrY\tHAVANA\texon\t281194\t281684\t.\t+\t.\tgene_id "ENSG00000182378.15_PAR_Y"; transcript_id "ENST00000399012.6_PAR_Y"; exon_number 2; protein_id "ENSP00000382976.1"; level 2;
"""  # noqa: E501

ENSEMBL_GFF3 = """\
##gff-version 3
1\tGRCh38\tchromosome\t1\t248956422\t.\t.\t.\tID=chromosome:1;Alias=CM000663.2,chr1
1\thavana\tncRNA_gene\t11869\t14409\t.\t+\t.\tID=gene:ENSG00000290825;Name=DDX11L2;biotype=lncRNA;description=DEAD%2C box [Source:EntrezGene%3BAcc:84771];gene_id=ENSG00000290825;version=1
1\thavana\tlnc_RNA\t11869\t14409\t.\t+\t.\tID=transcript:ENST00000456328;Parent=gene:ENSG00000290825;Name=DDX11L2-202;biotype=lncRNA;tag=basic,Ensembl_canonical;transcript_id=ENST00000456328;transcript_support_level=5 (assigned to previous version 4);version=2
1\thavana\texon\t11869\t12227\t.\t+\t.\tParent=transcript:ENST00000456328;Name=ENSE00002234944;exon_id=ENSE00002234944;rank=1;version=7
###
1\tensembl\tgene\t14404\t29570\t.\t-\t.\tID=gene:ENSG00000227232;biotype=protein_coding;gene_id=ENSG00000227232;version=5
1\tensembl\tmRNA\t14404\t29570\t.\t-\t.\tID=transcript:ENST00000488147;Parent=gene:ENSG00000227232;biotype=protein_coding;transcript_id=ENST00000488147;version=1
1\tensembl\tCDS\t14500\t15000\t.\t-\t0\tID=CDS:ENSP1;Parent=transcript:ENST00000488147;protein_id=ENSP00000382976
"""  # noqa: E501

NCBI_GFF3 = """\
##gff-version 3
##sequence-region BK006935.2 1 230218
BK006935.2\ttpg\tregion\t1\t230218\t.\t+\t.\tID=BK006935.2:1..230218;Name=I;chromosome=I;gbkey=Src;genome=chromosome
BK006935.2\ttpg\ttelomere\t1\t801\t.\t-\t.\tID=id-BK006935.2:1..801;Note=TEL01L%3B Telomeric region
BK006935.2\ttpg\tgene\t1807\t2169\t.\t-\t.\tID=gene-YAL068C;Name=PAU8%2CX;gene_biotype=protein_coding;locus_tag=YAL068C
BK006935.2\ttpg\tmRNA\t1807\t2169\t.\t-\t.\tID=rna-YAL068C;Parent=gene-YAL068C;locus_tag=YAL068C
BK006935.2\ttpg\texon\t1807\t2169\t.\t-\t.\tID=exon-YAL068C-1;Parent=rna-YAL068C;locus_tag=YAL068C
BK006935.2\ttpg\tCDS\t1807\t2169\t.\t-\t0\tID=cds-DAA06918.1;Parent=rna-YAL068C;Name=DAA06918.1;protein_id=DAA06918.1
BK006935.2\ttpg\tpseudogene\t3000\t3300\t.\t+\t.\tID=gene-YAL069W;Name=YAL069W;gene_biotype=pseudogene
BK006935.2\ttpg\tCDS\t3000\t3300\t.\t+\t0\tID=cds-1;Parent=gene-YAL069W
NC_1\tRefSeq\tregion\t1\t100\t.\t+\t.\tID=NC_1:1..100;Name=MT;genome=mitochondrion
NW_1\tRefSeq\tregion\t1\t100\t.\t+\t.\tID=NW_1:1..100;chromosome=I;genome=genomic
"""


def write(folder, text, name="some.file"):
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def rows(table, feature):
    """Rows of a feature as plain dicts, missing values as None."""
    found = table[table["feature"].astype(str) == feature].astype(object)
    return found.where(found.notna(), None).to_dict("records")


# --- against a slow reader ----------------------------------------------------------------------------------------


def slow_gtf(text):
    """One line after another, one regular expression an attribute."""
    table = []
    for line in re.split(r"\r?\n", text):
        if not line.strip() or line.startswith("#"):
            continue
        seqname, _, feature, start, end, _, strand, _, attributes = line.split("\t")
        pairs = re.findall(r'(\S+) +(?:"(.*?)"|([^";]+?)) *(?:;|$) *', attributes)
        values = {}
        for key, quoted, plain in reversed(pairs):  # the first of several counts
            values[key] = quoted or plain or values.get(key)
        tags = [quoted or plain for key, quoted, plain in pairs if key == "tag"]
        version = values.get("gene_version")
        table.append(
            {
                "feature": feature,
                "seqname": seqname,
                "start": int(start) - 1,
                "end": int(end),
                "strand": strand,
                "gene_id": values["gene_id"],
                "gene_version": int(version) if version else None,
                "gene_name": values.get("gene_name"),
                "gene_biotype": values.get("gene_biotype"),
                "transcript_id": values.get("transcript_id"),
                "transcript_version": None,
                "transcript_biotype": values.get("transcript_biotype"),
                "tag": ";".join(tags),
            }
        )
    return table


def random_gtf(seed, lines=300, end="\n"):
    """No gene or transcript rows, so that nothing is inherited; the attributes of each line in any order."""
    draw = random.Random(seed)
    text = []
    for _ in range(lines):
        if draw.random() < 0.1:
            text.append(draw.choice(["", "   ", "# note\twith\ttabs", "##"]))
            continue
        attributes = [f'gene_id "G{draw.randrange(40)}"']
        optional = [
            f'gene_version "{draw.randrange(1, 30)}"',
            f'gene_name "{draw.choice(["A;B", "two words", "ü", "a=b", "x", ""])}"',
            f"gene_biotype {draw.choice(['lncRNA', 'TEC'])}",
            f'transcript_id "T{draw.randrange(80)}"',
            'transcript_biotype "protein_coding"',
            f'note "gene_id Z; tag {draw.randrange(9)}"',
            "level 2",
            *[f'tag "{draw.choice(["CCDS", "basic", "MANE"])}"' for _ in range(draw.randrange(4))],
        ]
        attributes += draw.sample(optional, draw.randrange(len(optional) + 1))
        draw.shuffle(attributes)
        start = draw.randrange(1, 10**9)
        fields = [
            draw.choice(["1", "X", "KI270728.1"]),
            "made",
            draw.choice(["exon", "CDS", "three_prime_utr"]),
            str(start),
            str(start + draw.choice([0, 5, 10**6])),
            ".",
            draw.choice("+-."),
            ".",
            "; ".join(attributes) + draw.choice([";", "", " ; "]),
        ]
        text.append("\t".join(fields))
    return end.join(text) + draw.choice([end, ""])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("block", [50, 1000, 1 << 24])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_reads_what_the_slow_reader_reads(tmp_path, monkeypatch, seed, block, end):
    monkeypatch.setattr(scanner, "_BLOCK", block)
    text = random_gtf(seed, end=end)
    table = read_annotation(write(tmp_path, text, "a.gtf.gz" if seed % 2 else "a.gtf"))
    found = table.astype(object)
    assert found.where(found.notna(), None).to_dict("records") == slow_gtf(text)


def test_string_table_gives_equal_texts_equal_numbers():
    draw = random.Random(1)
    words = ["".join(draw.choices("ab", k=draw.randrange(1, 9))).encode() for _ in range(5000)]
    table, numbers, found = StringTable(), {}, []
    for begin in range(0, len(words), 100):
        text = np.frombuffer(b"".join(words[begin : begin + 100]), np.uint8)
        table.reserve(strings=100, size=len(text))
        at = 0
        for word in words[begin : begin + 100]:
            found.append(intern(text, at, at + len(word), -1, *table.arrays))
            at += len(word)
    assert found == [numbers.setdefault(word, len(numbers)) for word in words]
    assert table.to_arrow().to_pylist() == [word.decode() for word in numbers]


def test_agrees_with_pyranges(tmp_path):
    pyranges = pytest.importorskip("pyranges")
    path = write(tmp_path, ENSEMBL_GTF, "a.gtf")
    theirs = pyranges.read_gtf(str(path), as_df=True)
    ours = read_annotation(path)
    assert ours["start"].tolist() == theirs["Start"].tolist()
    assert ours["end"].tolist() == theirs["End"].tolist()
    for column in ("gene_id", "gene_name", "gene_biotype", "transcript_id"):
        assert ours[column].astype(str).tolist() == theirs[column].astype(str).tolist()


# --- forms of GTF -------------------------------------------------------------------------------------------------


def test_ensembl_gtf(tmp_path):
    table = read_annotation(write(tmp_path, ENSEMBL_GTF))
    assert table.dtypes.astype(str).to_dict() == {
        "feature": "category",
        "seqname": "category",
        "start": "int64",
        "end": "int64",
        "strand": "category",
        "gene_id": "category",
        "gene_version": "Int32",
        "gene_name": "category",
        "gene_biotype": "category",
        "transcript_id": "category",
        "transcript_version": "Int32",
        "transcript_biotype": "category",
        "tag": "category",
    }
    first, second = rows(table, "gene")
    assert (first["start"], first["end"], first["strand"]) == (11868, 14409, "+")
    assert (first["gene_id"], first["gene_version"], first["gene_name"]) == (
        "ENSG00000290825",
        1,
        "DDX11L2",
    )
    assert first["transcript_id"] is None and first["transcript_version"] is None
    assert first["tag"] == "" and second["gene_name"] is None
    (exon,) = rows(table, "exon")
    assert (exon["transcript_id"], exon["transcript_version"]) == ("ENST00000456328", 2)
    assert exon["tag"] == "gencode_basic;Ensembl_canonical"
    assert rows(table, "transcript")[0]["tag"] == "gencode_basic;Ensembl_canonical"


def test_gencode_gtf(tmp_path):
    table = read_annotation(write(tmp_path, GENCODE_GTF), extra=EXTRA_COLUMNS)
    (gene,), (exon,) = rows(table, "gene"), rows(table, "exon")
    assert (gene["gene_id"], gene["gene_version"]) == ("ENSG00000182378_PAR_Y", 15)
    assert gene["gene_biotype"] == "protein_coding"
    assert (exon["transcript_id"], exon["transcript_version"]) == ("ENST00000399012_PAR_Y", 6)
    assert (exon["exon_number"], exon["protein_id"]) == (2, "ENSP00000382976")
    # What the exon's line leaves out is that of its transcript and gene.
    assert (exon["gene_name"], exon["transcript_biotype"]) == ("PLCXD1", "protein_coding")
    assert exon["tag"] == "basic;appris_principal_1"
    assert exon["transcript_support_level"] is None


@pytest.mark.parametrize("name", ["AT1G01010.1", "YAL067W-A", "Y74C9A.3", "ENSG1.5"])
def test_a_dot_in_other_identifiers_is_no_version(tmp_path, name):
    line = f'1\tx\tgene\t1\t9\t.\t+\t.\tgene_id "{name}";\n'
    (gene,) = rows(read_annotation(write(tmp_path, line)), "gene")
    assert (gene["gene_id"], gene["gene_version"]) == (name, None)


# --- forms of GFF3 ------------------------------------------------------------------------------------------------


def test_ensembl_gff3_reads_as_the_gtf_does(tmp_path):
    table = read_annotation(write(tmp_path, ENSEMBL_GFF3), extra=EXTRA_COLUMNS)
    assert table["feature"].tolist() == [
        *("chromosome", "gene", "transcript", "exon", "gene", "transcript", "CDS")
    ]
    gtf = read_annotation(write(tmp_path, ENSEMBL_GTF, "b"), extra=EXTRA_COLUMNS)
    expected = rows(gtf, "exon")[0] | {"tag": "basic;Ensembl_canonical"}
    assert rows(table, "exon")[0] == expected
    assert expected["transcript_support_level"] == 5
    assert rows(table, "gene")[0] == rows(gtf, "gene")[0]
    (cds,) = rows(table, "CDS")
    assert (cds["gene_id"], cds["gene_version"], cds["gene_name"]) == ("ENSG00000227232", 5, None)
    assert (cds["transcript_version"], cds["protein_id"]) == (1, "ENSP00000382976")
    assert rows(table, "chromosome")[0]["gene_id"] is None


def test_ncbi_gff3(tmp_path):
    path = write(tmp_path, NCBI_GFF3, "a.gff.gz")
    assert contig_names(path) == {"BK006935.2": "I", "NC_1": "MT"}
    table = read_annotation(path, rename=contig_names(path), extra=["protein_id"])
    assert set(table["seqname"]) == {"I", "MT", "NW_1"}
    first, second = rows(table, "gene")
    assert (first["gene_id"], first["gene_name"]) == ("YAL068C", "PAU8,X")
    assert (second["gene_id"], second["gene_biotype"]) == ("YAL069W", "pseudogene")
    (transcript,) = rows(table, "transcript")
    assert (transcript["transcript_id"], transcript["transcript_biotype"]) == ("YAL068C", "mRNA")
    (exon,) = rows(table, "exon")
    assert (exon["gene_id"], exon["gene_biotype"]) == ("YAL068C", "protein_coding")
    on_transcript, on_gene = rows(table, "CDS")
    assert (on_transcript["transcript_id"], on_transcript["protein_id"]) == (
        "YAL068C",
        "DAA06918.1",
    )
    assert (on_gene["gene_id"], on_gene["transcript_id"]) == ("YAL069W", None)
    assert contig_names(write(tmp_path, ENSEMBL_GFF3)) == {}


def test_gencode_gff3(tmp_path):
    text = (
        "##gff-version 3\n"
        "chr1\tH\tgene\t5\t90\t.\t+\t.\tID=ENSG00000223972.5;gene_id=ENSG00000223972.5;gene_type=lncRNA;gene_name=A\n"
        "chr1\tH\ttranscript\t5\t90\t.\t+\t.\tID=ENST00000456328.2;Parent=ENSG00000223972.5;gene_id=ENSG00000223972.5;"
        "transcript_id=ENST00000456328.2;transcript_type=lncRNA;tag=basic,TAGENE\n"
        "chr1\tH\texon\t5\t20\t.\t+\t.\tID=exon:ENST00000456328.2:1;Parent=ENST00000456328.2;exon_number=1\n"
    )
    (exon,) = rows(read_annotation(write(tmp_path, text), extra=["exon_number"]), "exon")
    assert (exon["gene_id"], exon["gene_version"], exon["gene_name"]) == ("ENSG00000223972", 5, "A")
    assert (exon["transcript_id"], exon["transcript_version"]) == ("ENST00000456328", 2)
    assert (exon["exon_number"], exon["tag"]) == (1, "basic;TAGENE")


def test_a_feature_of_two_parents_becomes_two_rows(tmp_path):
    text = "".join(
        f"1\tx\t{feature}\t{start}\t{start + 5}\t.\t+\t.\t{attributes}\n"
        for feature, start, attributes in (
            ("gene", 1, "ID=g"),
            ("mRNA", 1, "ID=a;Parent=g"),
            ("exon", 2, "Parent=a,b"),
            ("mRNA", 1, "ID=b;Parent=g"),
            ("exon", 3, "Parent=b"),
        )
    )
    table = read_annotation(write(tmp_path, text))
    assert table["start"].tolist() == [0, 0, 1, 1, 0, 2]
    assert [exon["transcript_id"] for exon in rows(table, "exon")] == ["a", "b", "b"]
    lost = text.replace("Parent=a,b", "Parent=a,c")
    with pytest.raises(InputError, match="Parent=c, and no feature has ID=c"):
        read_annotation(write(tmp_path, lost))


@pytest.mark.parametrize("text", [ENSEMBL_GTF, GENCODE_GTF, ENSEMBL_GFF3, NCBI_GFF3])
def test_ends_of_lines_and_marks_change_nothing(tmp_path, text):
    expected, contigs = read_with_contigs(write(tmp_path, text))
    for changed in (
        text.replace("\n", "\t\n"),
        text.replace("\n", "\t \t\r\n"),
        "\ufeff" + text.replace("\n", "\r"),
        text.rstrip("\n") + "\x1a",
        text + "\x1a",
    ):
        table, names = read_with_contigs(write(tmp_path, changed))
        pd.testing.assert_frame_equal(table, expected)
        assert names == contigs


@pytest.mark.parametrize("text", [ENSEMBL_GTF, NCBI_GFF3])
def test_an_annotation_may_come_through_a_pipe(tmp_path, text):
    expected, contigs = read_with_contigs(write(tmp_path, text))
    end, beginning = os.pipe()
    os.write(beginning, gzip.compress(text.encode()))
    os.close(beginning)
    table, names = read_with_contigs(f"/dev/fd/{end}")
    os.close(end)
    pd.testing.assert_frame_equal(table, expected)
    assert names == contigs


def test_digits_beyond_ascii_and_beyond_versions_are_letters(tmp_path):
    text = (
        ENSEMBL_GTF.replace('"5 (assigned', '"\u0665 (assigned')
        .replace("ENSG00000227232", "ENSG00000227232.99999999999")
        .replace(' gene_version "5";', "")
    )
    table = read_annotation(write(tmp_path, text), extra=EXTRA_COLUMNS)
    assert table["transcript_support_level"].isna().all()
    assert table["gene_id"].iloc[-1] == "ENSG00000227232.99999999999"
    assert pd.isna(table["gene_version"].iloc[-1])


def test_features_end_at_the_sequences(tmp_path):
    text = "1\tx\tgene\t1\t9\t.\t+\t.\tID=g\n1\tx\tgap\t1\t9\t.\t?\t.\t.\n##FASTA\n>1\nACGT\n"
    table = read_annotation(write(tmp_path, text))
    assert table["feature"].tolist() == ["gene", "gap"]
    assert table["strand"].tolist() == ["+", "."]


def test_circles_of_parents_are_refused(tmp_path):
    text = "1\tx\tmRNA\t1\t9\t.\t+\t.\tID=a;Parent=b\n1\tx\tmRNA\t1\t9\t.\t+\t.\tID=b;Parent=a\n"
    with pytest.raises(InputError, match="ancestors"):
        read_annotation(write(tmp_path, text))


# --- bad input ----------------------------------------------------------------------------------------------------

GOOD = '1\tx\tgene\t1\t9\t.\t+\t.\tgene_id "a";\n'


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("1\tx\tgene\t1\t9", "nine tab-separated columns"),
        ('1 x gene 1 9 . + . gene_id "a";', "nine tab-separated columns"),
        ('1\tx\tgene\tone\t9\t.\t+\t.\tgene_id "a";', "start and end"),
        ('1\tx\tgene\t0\t9\t.\t+\t.\tgene_id "a";', "start and end"),
        ('1\tx\tgene\t9\t8\t.\t+\t.\tgene_id "a";', "start and end"),
        ('1\tx\tgene\t1\t\t.\t+\t.\tgene_id "a";', "start and end"),
        ('1\tx\tgene\t1\t9\t.\t*\t.\tgene_id "a";', "strand"),
        ('1\tx\tgene\t1\t9\t.\t\t.\tgene_id "a";', "strand"),
        ("1\tx\tgene\t1\t9\t.\t+\t.\tgene_id;", "attributes of the form key"),
        ('1\tx\tgene\t1\t9\t.\t+\t.\tgene_id "a', "attributes of the form key"),
        ("1\tx\tgene\t1\t9\t.\t+\t.\tgene_id=a", "attributes of the form key"),
        ('1\tx\tgene\t1\t9\t.\t+\t.\tgene_id "a";\tmore', "attributes of the form key"),
    ],
)
@pytest.mark.parametrize("block", [20, 1 << 24])
def test_a_malformed_line_is_named(tmp_path, monkeypatch, line, expected, block):
    monkeypatch.setattr(scanner, "_BLOCK", block)
    path = write(tmp_path, f"#!x\n{GOOD}\n{GOOD}{line}\n{GOOD}", "bad.gtf")
    with pytest.raises(InputError, match=rf"bad\.gtf: line 5: expected .*{expected}") as error:
        read_annotation(path)
    assert line.strip() in str(error.value).encode().decode("unicode_escape")


def test_a_malformed_line_of_gff3_is_named(tmp_path):
    path = write(tmp_path, f"{ENSEMBL_GFF3}{GOOD}")
    with pytest.raises(InputError, match=r"line 10: expected attributes of the form key=value;"):
        read_annotation(path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "no features"),
        (b"# nothing\n\n", "no features"),
        (b"<html>no such page</html>\n", "line 1: expected nine tab-separated columns"),
        (gzip.compress(GOOD.encode() * 999, mtime=0)[:-20], "damaged gzip"),
        (gzip.compress(GOOD.encode(), mtime=0)[:15], "damaged gzip"),
        (GOOD.encode().replace(b'"a"', b'"\xff"'), "not UTF-8"),
        (GOOD.encode() + GOOD.replace("gene_id", "gene").encode(), "1:1-9 has no gene_id"),
        (
            GOOD.replace("gene_id", 'gene_version "x"; gene_id').encode(),
            "version: expected a whole",
        ),
    ],
)
def test_unusable_files_are_refused(tmp_path, content, expected):
    path = tmp_path / "bad.gtf"
    path.write_bytes(content)
    with pytest.raises(InputError, match=expected):
        read_annotation(path)
    with pytest.raises(InputError, match="no such file"):
        read_annotation(tmp_path / "absent.gtf")


# --- genes and Parquet --------------------------------------------------------------------------------------------


def test_genes_begin_where_transcription_does(tmp_path):
    table = genes(read_annotation(write(tmp_path, ENSEMBL_GTF)))
    assert table["gene_id"].tolist() == ["ENSG00000290825", "ENSG00000227232"]
    assert table["tss"].tolist() == [11868, 29569]
    assert table["tss"].dtype == np.int64
    assert table["gene_biotype"].cat.categories.tolist() == ["lncRNA", "protein_coding"]


def test_genes_of_several_rows(tmp_path, caplog):
    text = "".join(
        f"{seqname}\tx\tgene\t{start}\t{start + 9}\t.\t{strand}\t.\tID=gene-{name}\n"
        for seqname, start, strand, name in (
            ("1", 100, "-", "in_parts"),
            ("1", 1, "+", "both_strands"),
            ("1", 11, ".", "strandless"),
            ("1", 200, "-", "in_parts"),
            ("1", 21, "-", "both_strands"),
            ("2", 31, "+", "both_contigs"),
            ("3", 31, "+", "both_contigs"),
            ("2", 41, "+", "plain"),
        )
    )
    table = genes(read_annotation(write(tmp_path, text)))
    assert table["gene_id"].tolist() == ["in_parts", "plain"]
    assert table[["start", "end", "tss"]].to_numpy().tolist() == [[99, 209, 208], [40, 50, 40]]
    assert "3 genes, such as both_strands" in caplog.text


def test_an_annotation_without_genes_is_refused(tmp_path):
    table = read_annotation(write(tmp_path, GOOD.replace("gene\t", "exon\t")))
    with pytest.raises(InputError, match="no rows with feature 'gene'"):
        genes(table)


def test_parquet_keeps_everything_and_reads_parts(tmp_path):
    table = read_annotation(write(tmp_path, ENSEMBL_GFF3), extra=EXTRA_COLUMNS)
    path = tmp_path / "deep" / "annotation.parquet"
    write_annotation(table, path)
    pd.testing.assert_frame_equal(read_annotation_parquet(path), table)
    part = read_annotation_parquet(path, columns=["gene_id", "start"], features=["gene"])
    assert part["start"].tolist() == [11868, 14403]
    assert list(part.columns) == ["gene_id", "start"]
    pd.testing.assert_frame_equal(
        genes(read_annotation_parquet(path, features=["gene"])), genes(table)
    )
    whole = read_annotation_parquet(path, features=["exon", "CDS"])
    assert whole["feature"].cat.categories.tolist() == ["exon", "CDS"]
