"""Windows and annotation of real genomes: a region of GRCh38 with Ensembl's GTF, and yeast with NCBI's GFF3.

Needs the files of README.md; their directory is named by the environment variable NUCLEOTUNE_DATA.
"""

import gzip
import os
from pathlib import Path

import pytest

from nucleotune.errors import InputError
from nucleotune.genome.annotation import genes, read_annotation, read_with_contigs, write_annotation
from nucleotune.genome.windows import extract_windows
from nucleotune.schemas import read_schema, validate
from nucleotune.studies.promoters.build import build_task
from nucleotune.studies.promoters.plan import PromoterDataset
from nucleotune.studies.promoters.protocol import settings_read, species_read

DATA = Path(os.environ.get("NUCLEOTUNE_DATA", ""))
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not os.environ.get("NUCLEOTUNE_DATA"), reason="NUCLEOTUNE_DATA is not set"),
]
COMPLEMENT = str.maketrans("ACGTacgt", "TGCAtgca")


def unpacked(source: Path, folder: Path) -> Path:
    path = folder / source.name.removesuffix(".gz")
    path.write_bytes(gzip.decompress(source.read_bytes()))
    return path


def contigs(path: Path) -> dict[str, str]:
    records = path.read_text().split(">")[1:]
    return {r.split(None, 1)[0]: "".join(r.split("\n")[1:]) for r in records}


def test_windows_of_a_human_region(tmp_path):
    (fasta,) = DATA.glob("regions/*.fa.gz")
    (gtf,) = DATA.glob("regions/*.gtf.gz")
    genome = unpacked(fasta, tmp_path)
    table = genes(read_annotation(gtf))
    assert len(table) == 23
    places = table.rename(columns={"gene_id": "id", "tss": "position"})
    found, counts = extract_windows(genome, places, 300)
    text = contigs(genome)
    by_id = places.set_index("id")
    for row in found.itertuples():
        place = by_id.loc[row.id]
        start = place["position"] - (249 if place["strand"] == "+" else 50)
        piece = text[str(place["seqname"])][start : start + 300]
        expected = piece if place["strand"] == "+" else piece.translate(COMPLEMENT)[::-1]
        assert row.sequence == expected.upper()
    lost = {name: counts[name] for name in ("unknown_contig", "off_contig", "not_acgt")}
    assert counts["places"] == 23 and len(found) == counts["windows"] == 23 - sum(lost.values())
    assert len(found) >= 20 and lost["unknown_contig"] == 0


#: What Ensembl called lncRNA genes before release 96, as far as this region has them.
OLD_LNCRNA = ["lincRNA", "antisense_RNA", "sense_intronic"]


def test_task_4_of_a_human_region(tmp_path):
    """An annotation older than the biotype lncRNA, by way of a species file."""
    (fasta,) = DATA.glob("regions/*.fa.gz")
    (gtf,) = DATA.glob("regions/*.gtf.gz")
    files = {
        "genome": str(unpacked(fasta, tmp_path)),
        "annotation": str(tmp_path / "annotation.parquet"),
    }
    write_annotation(read_annotation(gtf), files["annotation"])
    settings, species = task4({"lncRNA": OLD_LNCRNA})
    asked = {"task": "task4", "length": 300, "split": "random", "settings": settings}
    examples, card = build_task(files, species=species, **asked)
    assert card["classes"] == {"lncRNA": 8, "protein_coding": 8}
    assert card["windows"]["unknown_contig"] == 0
    assert set(examples["sequence"].str.len()) == {300} and set(examples["seqname"]) == {"9"}
    settings, species = task4({})
    with pytest.raises(InputError, match=r"no gene of biotype lncRNA; found .*lincRNA \(4\)"):
        build_task(files, species=species, **asked)


def test_task_4_of_yeast_with_ncbis_names_of_contigs(tmp_path):
    """The GFF3 says BK006935.2, the genome of Ensembl I."""
    (fasta,) = DATA.glob("yeast/*.fa.gz")
    (gff,) = DATA.glob("yeast/*.gff3.gz")
    files = {
        "genome": str(unpacked(fasta, tmp_path)),
        "annotation": str(tmp_path / "annotation.parquet"),
    }
    rows, names = read_with_contigs(gff)
    write_annotation(rows, files["annotation"], names)
    # Yeast has no lncRNA genes to speak of; another class of genes stands for them.
    settings, species = task4({"lncRNA": ["tRNA"]})
    examples, card = build_task(
        files, task="task4", length=300, split="random", settings=settings, species=species
    )
    assert card["windows"]["unknown_contig"] == 0 and len(examples) > 400
    assert "I" in set(examples["seqname"]) and "BK006935.2" not in set(examples["seqname"])
    text = contigs(Path(files["genome"]))
    for row in examples.head(50).itertuples():
        start = row.position - (249 if row.strand == "+" else 50)
        piece = text[row.seqname][start : start + 300].upper()
        assert row.sequence == (piece if row.strand == "+" else piece.translate(COMPLEMENT)[::-1])


def task4(biotypes):
    """Settings and species of Task 4 on all genes of an annotation."""
    block = {"title": "X", "promoters": {"biotypes": biotypes}}
    one = validate(block, read_schema("species"), "x.yaml")
    study = validate({"promoters": {}}, read_schema("config"), "config")["promoters"]
    dataset = PromoterDataset("x_task4_random", "random", ("x",), task="task4")
    return settings_read(study, dataset, one), species_read(study, dataset, one)


def test_start_codons_of_gtf_and_gff3(tmp_path):
    """Coordinates are right to the base, in both formats: coding sequences begin with ATG."""
    (fasta,) = DATA.glob("regions/*.fa.gz")
    (gtf,) = DATA.glob("regions/*.gtf.gz")
    rows = read_annotation(gtf)
    starts = rows[rows["feature"] == "start_codon"]
    starts = starts[starts["end"] - starts["start"] == 3]
    assert len(starts) > 5
    text = contigs(unpacked(fasta, tmp_path))
    assert _share(starts, text, "ATG") == 1.0

    (fasta,) = DATA.glob("yeast/*.fa.gz")
    (gff,) = DATA.glob("yeast/*.gff3.gz")
    rows = read_annotation(gff)
    contig_of = dict(zip(*_contig_names(gff), strict=True))
    coding = rows[rows["feature"] == "CDS"]
    whole = coding[~coding["transcript_id"].duplicated(keep=False)].copy()
    first = whole.assign(
        start=whole["start"].where(whole["strand"] == "+", whole["end"] - 3),
        seqname=whole["seqname"].map(contig_of),
    )
    first["end"] = first["start"] + 3
    assert len(first) > 5000
    assert _share(first, contigs(unpacked(fasta, tmp_path)), "ATG") > 0.99


def _share(places, text, codon):
    pieces = [
        text[str(row.seqname)][row.start : row.end].upper()
        if row.strand == "+"
        else text[str(row.seqname)][row.start : row.end].upper().translate(COMPLEMENT)[::-1]
        for row in places.itertuples()
    ]
    return sum(piece == codon for piece in pieces) / len(pieces)


def _contig_names(gff):
    accessions, names = [], []
    with gzip.open(gff, "rt") as lines:
        for line in lines:
            fields = line.rstrip("\n").split("\t")
            if len(fields) == 9 and fields[2] == "region":
                attributes = dict(part.split("=", 1) for part in fields[8].split(";"))
                accessions.append(fields[0])
                names.append(attributes.get("chromosome", "Mito"))
    return accessions, names
