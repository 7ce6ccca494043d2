"""Regions of transcripts against a walk over every base, and places carried over between two small genomes."""

import numpy as np
import pandas as pd
import pytest
from Bio.Seq import reverse_complement

from nucleotune.errors import InputError
from nucleotune.genome.annotation import read_annotation
from nucleotune.genome.chain import read_chain
from nucleotune.genome.ranking import reference_transcripts
from nucleotune.genome.regions import carry_over, region_strings, transcript_regions

PLACE = ["seqname", "start", "end", "strand"]


def write_gtf(path, transcripts):
    """transcripts: (contig, strand, exons, coding part or None, appris), each of a gene of its own, 0-based half-open.

    The stop codon is left out of the CDS and given as a feature, as GENCODE does.
    """
    lines = []
    for number, (contig, strand, exons, coding, appris) in enumerate(transcripts):
        rest = (
            f'gene_id "g{number}"; transcript_id "t{number}"; transcript_support_level "1";'
            f' tag "appris_principal_{appris}";'
        )
        features = [("exon", *exon) for exon in exons]
        if coding:
            first, last = coding
            stop = (last - 3, last) if strand == "+" else (first, first + 3)
            body = (first, last - 3) if strand == "+" else (first + 3, last)
            for feature, (low, high) in (("CDS", body), ("stop_codon", stop)):
                parts = [(max(a, low), min(b, high)) for a, b in exons]
                features += [(feature, a, b) for a, b in parts if a < b]
        for feature, a, b in features:
            lines.append(f"{contig}\tx\t{feature}\t{a + 1}\t{b}\t.\t{strand}\t.\t{rest}\n")
    path.write_text("".join(lines))
    return read_annotation(path, extra=["transcript_support_level"])


def random_transcripts(seed, n=40, size=1200):
    """Transcripts that overlap much, on both strands of two contigs."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        cuts = np.sort(rng.choice(size, 2 * rng.integers(1, 6), replace=False)).tolist()
        exons = list(zip(cuts[::2], cuts[1::2], strict=True))
        inside = [base for a, b in exons for base in range(a, b)]
        coding = None
        if rng.random() < 0.6 and len(inside) > 8:
            first, last = np.sort(rng.choice(len(inside), 2, replace=False))
            if inside[last] + 1 - inside[first] > 6:
                coding = inside[first], inside[last] + 1
        contig, strand = rng.choice(["chr1", "chr2"]), rng.choice(["+", "-"])
        yield contig, strand, exons, coding, int(rng.integers(1, 6))


def slow_letter(transcript, base):
    """The letter of a base in a transcript; None outside."""
    _, strand, exons, coding, _ = transcript
    if not exons[0][0] <= base < exons[-1][1]:
        return None
    if not any(a <= base < b for a, b in exons):
        return "I"
    if coding is None:
        return "E"
    if coding[0] <= base < coding[1]:
        return "C"
    return "5" if (base < coding[0]) == (strand == "+") else "3"


def slow_region_string(transcripts, order, seqname, start, end, strand):
    """order: the numbers of the transcripts, best first."""
    letters = []
    for base in range(start, end) if strand == "+" else reversed(range(start, end)):
        found = [
            (transcripts[i][1] != strand, rank, slow_letter(transcripts[i], base))
            for rank, i in enumerate(order)
            if transcripts[i][0] == seqname
        ]
        found = [one for one in found if one[2]]
        letters.append(min(found)[2] if found else ".")
    return "".join(letters)


@pytest.mark.parametrize("seed", range(4))
def test_letters_are_those_of_a_walk_over_the_bases(tmp_path, seed):
    transcripts = list(random_transcripts(seed))
    annotation = write_gtf(tmp_path / "a.gtf", transcripts)
    best = reference_transcripts(annotation)
    order = [int(name[1:]) for name in best["transcript_id"]]
    assert sorted(order) == list(range(len(transcripts)))
    regions = transcript_regions(annotation, best)
    rng = np.random.default_rng(seed)
    start = rng.integers(0, 1300, 300)
    places = pd.DataFrame(
        {
            "seqname": rng.choice(["chr1", "chr2", "chr3"], 300, p=[0.5, 0.4, 0.1]),
            "start": start,
            "end": start + rng.choice([1, 5, 101], 300),
            "strand": rng.choice(["+", "-"], 300),
        },
        index=rng.permutation(300),
    )
    expected = [
        slow_region_string(transcripts, order, *place)
        for place in places[PLACE].itertuples(index=False)
    ]
    assert region_strings(places, regions) == expected
    assert set("".join(expected)) == set("53CEI.")
    # Ensembl's names of contigs mean the same.
    places["seqname"] = places["seqname"].str.removeprefix("chr")
    assert region_strings(places, regions) == expected


GENES = [
    ("1", "+", [(10, 20), (30, 40), (50, 60)], (15, 36), 1),
    ("1", "-", [(100, 110), (120, 130)], (104, 125), 1),
    ("1", "+", [(200, 210)], None, 1),
]


def test_letters_by_hand(tmp_path):
    annotation = write_gtf(tmp_path / "a.gtf", GENES)
    regions = transcript_regions(annotation, reference_transcripts(annotation))
    places = pd.DataFrame(
        [("1", 8, 62, "+"), ("1", 98, 132, "-"), ("1", 98, 132, "+"), ("1", 198, 212, "+")],
        columns=PLACE,
    )
    sense = "..55555" + "CCCCC" + "I" * 10 + "CCCCCC3333" + "I" * 10 + "3" * 10 + ".."
    antisense = "..55555CCCCC" + "I" * 10 + "CCCCCC3333.."
    assert region_strings(places, regions) == [
        sense,
        antisense,
        antisense[::-1],
        ".." + "E" * 10 + "..",
    ]
    # Regions follow each other without gaps.
    inner = regions.groupby("transcript_id", observed=True)
    assert (inner["start"].shift(-1) == regions["end"])[inner["start"].shift(-1).notna()].all()


def test_places_that_are_none_are_refused(tmp_path):
    annotation = write_gtf(tmp_path / "a.gtf", GENES)
    regions = transcript_regions(annotation, reference_transcripts(annotation))
    for wrong in (("1", -1, 5, "+"), ("1", 5, 5, "+"), ("1", 5, 9, ".")):
        with pytest.raises(InputError, match="expected 0 <= start < end"):
            region_strings(pd.DataFrame([wrong], columns=PLACE), regions)
    with pytest.raises(InputError, match="no transcript on scaffold_7"):
        region_strings(pd.DataFrame([("scaffold_7", 5, 9, "+")], columns=PLACE), regions)
    assert region_strings(pd.DataFrame(columns=PLACE), regions) == []


# --- carrying over ------------------------------------------------------------------------------------------------

LETTERS = np.random.default_rng(5).choice(list("ACGT"), 400)
OLD = "".join(LETTERS[:300])
INSERTED = "".join(LETTERS[300:310])


@pytest.fixture
def assemblies(tmp_path):
    """chr1 of the old assembly is, turned round and with 10 new bases and one exchanged, contig 1 of the new one."""
    changed = OLD[:200] + {"A": "C"}.get(OLD[200], "A") + OLD[201:]
    new = reverse_complement("NNNNN" + changed[:100] + INSERTED + changed[100:])
    fasta = tmp_path / "new.fa"
    fasta.write_text(f">1 of the new assembly\n{new[:200].lower()}\n{new[200:]}\n")
    chain = tmp_path / "old.chain"
    chain.write_text("chain 7 chr1 300 + 0 300 chr1 315 - 5 315 1\n100 0 10\n200\n"
                     "chain 7 chr3 300 + 0 300 chr7 300 + 0 300 2\n300\n")  # fmt: skip
    return read_chain(chain), fasta, new


def place(name, start, end, strand="+", seqname="chr1", sequence=None):
    text = OLD[start:end] if strand == "+" else reverse_complement(OLD[start:end])
    return name, sequence or text, seqname, start, end, strand


def test_places_are_carried_over_and_verified(assemblies):
    chains, fasta, new = assemblies
    places = pd.DataFrame(
        [
            place("kept", 20, 60),
            place("kept_minus", 120, 150, "-"),
            place("insertion", 80, 120),
            place("exchanged", 190, 210),
            place("elsewhere", 20, 60, seqname="chr2"),
            place("contig_missing", 20, 60, seqname="chr3"),
            ("nowhere", "ACGT", "", -1, -1, "+"),
        ],
        columns=["id", "sequence", *PLACE],
    )
    carried, counts = carry_over(places, chains, fasta)
    assert carried["id"].tolist() == ["kept", "kept_minus"]
    assert carried["strand"].tolist() == ["-", "+"]
    assert carried["seqname"].tolist() == ["1", "1"]
    for row in carried.itertuples():
        there = new[row.start : row.end].upper()
        assert row.sequence == (there if row.strand == "+" else reverse_complement(there))
    assert counts == {
        "places": 7,
        "without_place": 1,
        "unaligned": 1,
        "partly_aligned": 1,
        "unknown_contig": 1,
        "other_bases": 1,
        "carried_over": 2,
    }
    unverified, counts = carry_over(places, chains)
    assert unverified["id"].tolist() == ["kept", "kept_minus", "exchanged", "contig_missing"]
    assert counts["carried_over"] == 4 and "other_bases" not in counts


def test_wrong_places_and_genomes_are_noticed(assemblies, tmp_path):
    chains, fasta, _ = assemblies
    columns = ["id", "sequence", *PLACE]
    with pytest.raises(InputError, match="'long': the sequence and its position differ"):
        carry_over(pd.DataFrame([place("long", 20, 60, sequence="ACG")], columns=columns), chains)
    other = tmp_path / "other.fa"
    other.write_text(f">1\n{'ACGT' * 100}\n")
    with pytest.raises(InputError, match="none has the bases"):
        carry_over(pd.DataFrame([place("a", 20, 60)], columns=columns), chains, other)
