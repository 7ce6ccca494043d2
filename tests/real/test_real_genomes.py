"""Windows and annotation of real genomes: a region of GRCh38 with Ensembl's GTF, and yeast with NCBI's GFF3.

Needs the files of README.md; their directory is named by the environment variable NUCLEOTUNE_DATA.
"""

import gzip
import os
from pathlib import Path

import pytest

from nucleotune.genome.annotation import genes, read_annotation
from nucleotune.genome.windows import extract_windows

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
    assert len(found) == 23 - sum(v for k, v in counts.items() if k.startswith("dropped"))
    assert len(found) >= 20


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
