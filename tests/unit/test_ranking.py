"""The reference transcript of each gene: by hand-made cases, and as the makers of annotation write them."""

import pandas as pd
import pytest

from nucleotune.errors import InputError
from nucleotune.genome.annotation import read_annotation, read_annotation_parquet, write_annotation
from nucleotune.genome.ranking import COLUMNS, FEATURES, reference_transcripts


def annotation(*transcripts):
    """Rows of exons: (gene, transcript, tag, support level, exons as (start, end)), on + of contig 1.

    A transcript with "coding" in its tag is of that biotype.
    """
    rows = [
        ("exon", "1", start, end, "+", gene, gene, "b", name, kind, tag, level)
        for gene, name, tag, level, exons in transcripts
        for kind in ["protein_coding" if "coding" in tag else "lncRNA"]
        for start, end in exons
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"transcript_support_level": "Int32"})


def chosen(*transcripts):
    table = reference_transcripts(annotation(*transcripts))
    return table["transcript_id"].tolist()


SHORT, LONG = [(0, 10)], [(0, 6), (90, 99)]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (("appris_principal_1", None, SHORT), ("appris_principal_2", 1, LONG)),
        (("basic;appris_principal_5", 5, SHORT), ("appris_alternative_1;CCDS", 1, LONG)),
        (("appris_alternative_1", 5, SHORT), ("appris_alternative_2", 1, LONG)),
        (("appris_alternative_2", None, SHORT), ("basic;MANE_Select;Ensembl_canonical", 1, LONG)),
        (("appris_principal_1", 1, SHORT), ("appris_principal_1", 2, LONG)),
        (("appris_principal_1", 5, SHORT), ("appris_principal_1", None, LONG)),
        (("appris_principal_1", 2, LONG), ("appris_principal_1", 2, SHORT)),
    ],
)
def test_order_of_appris_support_level_and_length(better, worse):
    assert chosen(("g", "z", *better), ("g", "a", *worse)) == ["z"]
    assert chosen(("g", "a", *worse), ("g", "z", *better)) == ["z"]
    # The same order holds between genes.
    assert chosen(("h", "a", *worse), ("g", "z", *better)) == ["z", "a"]


def test_equal_transcripts_are_taken_by_id():
    equal = ("appris_principal_1", 1, SHORT)
    assert chosen(("g", "b", *equal), ("g", "a", *equal), ("g", "c", *equal)) == ["a"]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (("basic;MANE_Select;Ensembl_canonical", 5, SHORT), ("basic;Ensembl_canonical", 1, LONG)),
        (("gencode_basic;Ensembl_canonical", None, SHORT), ("gencode_basic", 1, LONG)),
        (("MANE Select", None, SHORT), ("RefSeq Select", None, LONG)),
        (("basic", 1, SHORT), ("basic", 2, LONG)),
        (("basic", None, LONG), ("", None, SHORT)),
        (("Ensembl_canonical", None, SHORT), ("CCDS;coding", 1, LONG)),
        (("CCDS;coding", None, SHORT), ("coding", 1, LONG)),
        (("coding", None, SHORT), ("basic", 1, LONG)),
    ],
)
def test_without_appris_a_chosen_transcript_stands_in_for_it(better, worse):
    assert chosen(("g", "z", *better), ("g", "a", *worse)) == ["z"]


def test_a_transcript_is_what_its_exons_are():
    exons = [(50, 60), (10, 20), (30, 31)]
    (row,) = reference_transcripts(annotation(("g", "t", "", 3, exons))).to_dict("records")
    assert (row["start"], row["end"], row["length"], row["rank"]) == (10, 60, 21, 0)
    assert (row["gene_id"], row["seqname"], row["strand"]) == ("g", "1", "+")
    assert (row["appris"], row["support_level"]) == (1000, 3)


def test_the_same_identifiers_in_two_places_are_two_transcripts():
    table = annotation(("g", "t", "", 1, [(0, 5), (8, 9)]), ("g", "t", "", 1, [(70, 99)]))
    table["seqname"] = ["X", "X", "Y"]
    (row,) = reference_transcripts(table).to_dict("records")
    assert (row["seqname"], row["start"], row["end"]) == ("Y", 70, 99)


def test_other_tables_are_refused():
    table = annotation(("g", "t", "", 1, SHORT))
    with pytest.raises(InputError, match=r"extra=\['transcript_support_level'\]"):
        reference_transcripts(table.drop(columns="transcript_support_level"))
    with pytest.raises(InputError, match="no exon"):
        reference_transcripts(table.assign(feature="gene"))
    with pytest.raises(InputError, match="no exon"):
        reference_transcripts(table.assign(strand="."))


# --- from files ---------------------------------------------------------------------------------------------------

TRANSCRIPTS = (
    # name, exons (1-based, closed), support level, GENCODE's tags, Ensembl's tags
    ("ENST00000000001", ((11, 20), (41, 80)), "1", ("basic",), ("basic",)),
    ("ENST00000000002", ((11, 20), (31, 35)), "5 (assigned to previous version 4)",
     ("basic", "appris_principal_2"), ("basic", "Ensembl_canonical")),
    ("ENST00000000003", ((1, 100),), "NA", ("basic", "appris_alternative_1", "CCDS"), ()),
)  # fmt: skip


def write_gtf(path, kind):
    ensembl = kind == "Ensembl"
    lines = []
    for name, exons, level, gencode_tags, ensembl_tags in TRANSCRIPTS:
        ids = ('gene_id "ENSG00000000001"; gene_version "5"; ' if ensembl else 'gene_id "ENSG00000000001.5"; ') + (
            f'transcript_id "{name}"; gene_biotype "protein_coding"; ' if ensembl
            else f'transcript_id "{name}.2"; gene_type "protein_coding"; ')  # fmt: skip
        tags = "".join(f'tag "{tag}"; ' for tag in (ensembl_tags if ensembl else gencode_tags))
        rest = f'{ids}transcript_support_level "{level}"; {tags}'
        span = exons[0][0], exons[-1][1]
        for feature, (start, end) in (("transcript", span), *(("exon", exon) for exon in exons)):
            lines.append(f"chr1\tx\t{feature}\t{start}\t{end}\t.\t-\t.\t{rest}\n")
    path.write_text("".join(lines))
    return path


def write_gff3(path):
    lines = ["##gff-version 3\n"]
    lines.append("1\tx\tgene\t1\t100\t.\t-\t.\tID=gene:ENSG00000000001;biotype=protein_coding\n")
    for name, exons, level, _, tags in TRANSCRIPTS:
        tag = f"tag={','.join(tags)};" if tags else ""
        lines.append(
            f"1\tx\tmRNA\t{exons[0][0]}\t{exons[-1][1]}\t.\t-\t.\tID=transcript:{name};Parent=gene:ENSG00000000001;"
            f"{tag}transcript_support_level={level};transcript_id={name}\n"
        )
        for start, end in exons:
            lines.append(f"1\tx\texon\t{start}\t{end}\t.\t-\t.\tParent=transcript:{name}\n")
    path.write_text("".join(lines))
    return path


@pytest.mark.parametrize("kind", ["GENCODE", "Ensembl", "GFF3"])
def test_of_a_file_of_each_maker(tmp_path, kind):
    path = tmp_path / "a"
    write_gff3(path) if kind == "GFF3" else write_gtf(path, kind)
    parquet = tmp_path / "a.parquet"
    write_annotation(read_annotation(path, extra=["transcript_support_level"]), parquet)
    table = read_annotation_parquet(parquet, columns=COLUMNS, features=FEATURES)
    (row,) = reference_transcripts(table).to_dict("records")
    assert row["transcript_id"] == "ENST00000000002"
    assert (row["start"], row["end"], row["length"], row["strand"]) == (10, 35, 15, "-")
    assert (row["appris"], row["support_level"]) == (2, 5)
    assert (row["gene_id"], row["gene_biotype"]) == ("ENSG00000000001", "protein_coding")
