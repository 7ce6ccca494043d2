"""Which part of a transcript each nucleotide of a sequence is (section 2.4.2 of Yamada and Hamada, Bioinformatics
Advances 2022;2:vbac023), and places carried over to the assembly of the annotation.

Letters: `5` 5'UTR, `3` 3'UTR, `C` CDS with its stop codon, `E` exon of a transcript without CDS, `I` intron, `.` none.
"""

import logging
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from nucleotune.errors import InputError
from nucleotune.genome.chain import LIFTED, PARTLY_ALIGNED, UNALIGNED, Chain, lift
from nucleotune.genome.contigs import as_in_genome
from nucleotune.genome.genome_file import open_genome
from nucleotune.genome.layers import Layers, lay
from nucleotune.genome.windows import with_sequences

LETTERS = "53CEI."

_NONE = ord(".")

_log = logging.getLogger(__name__)


def transcript_regions(annotation: pd.DataFrame, transcripts: pd.DataFrame) -> pd.DataFrame:
    """Return the regions of reference transcripts: one row per region, without gaps from a transcript's start to its
    end.

    UTRs are what is outside the bounds of the coding part, whose stop codon belongs to the CDS (in GTF it is a
    feature of its own). A transcript is coding where the annotation has CDS of it, whatever its biotype.

    Args:
        annotation: rows of exon, CDS and stop_codon, as in `ranking.reference_transcripts`.
        transcripts: of `ranking.reference_transcripts`.

    Returns columns `seqname`, `start`, `end` (0-based half-open), `strand`, `region` (a letter), `transcript_id` and
    `rank` (of the transcript), sorted by rank and start.
    """
    exons, coding = (
        _parts(annotation, transcripts, features) for features in (["exon"], ["CDS", "stop_codon"])
    )
    bounds = coding.groupby("rank").agg({"start": "min", "end": "max"})
    rank, start, end = (exons[name].to_numpy(np.int64) for name in ("rank", "start", "end"))
    first = bounds["start"].reindex(rank).to_numpy(np.float64)
    last = bounds["end"].reindex(rank).to_numpy(np.float64)
    noncoding = np.isnan(first)
    # The coding part of an exon is between two cuts; all of it in a transcript without CDS.
    cut = np.clip(np.where(noncoding, start, first), start, end).astype(np.int64)
    second_cut = np.clip(np.where(noncoding, end, last), start, end).astype(np.int64)
    forward = transcripts["strand"].to_numpy()[rank] == "+"
    intron = np.append(rank[1:] == rank[:-1], False)
    parts = [
        (start, cut, np.where(forward, "5", "3")),
        (cut, second_cut, np.where(noncoding, "E", "C")),
        (second_cut, end, np.where(forward, "3", "5")),
        (end, np.where(intron, np.append(start[1:], 0), end), np.full(len(end), "I")),
    ]
    regions = pd.concat(
        [
            pd.DataFrame({"start": begin, "end": stop, "region": letter, "rank": rank})
            for begin, stop, letter in parts
        ]
    )
    regions = regions[regions["end"] > regions["start"]]
    regions = regions.sort_values(["rank", "start"], ignore_index=True)
    for name in ("transcript_id", "strand", "seqname"):
        values = pd.Categorical(transcripts[name])
        regions.insert(0, name, values[regions["rank"].to_numpy()])
    columns = ["seqname", "start", "end", "strand", "region", "transcript_id", "rank"]
    return regions[columns].astype({"region": "category"})


def region_strings(places: pd.DataFrame, regions: pd.DataFrame) -> list[str]:
    """Return the letters of each place, one per nucleotide, 5' to 3' of the place's strand.

    Where genes overlap, a transcript on the place's strand comes before one on the other, and then the one of the
    better rank; nucleotide by nucleotide.

    Args:
        places: `seqname`, `start`, `end` (0-based half-open, not empty), `strand` (+ or -), on the annotation's
            assembly; contigs may be called as UCSC does or as Ensembl does.
        regions: of `transcript_regions`.

    Raises InputError for other places, and where the annotation knows none of their contigs.
    """
    _check(places)
    contig = as_in_genome(places["seqname"], regions["seqname"].unique())
    if len(places) and not contig.isin(regions["seqname"].unique()).any():
        raise InputError(
            f"the annotation has no transcript on {', '.join(contig.unique()[:3])}, nor on any other contig of"
            f" the positions; its contigs are {', '.join(map(str, regions['seqname'].unique()[:3]))} and others"
        )
    start, end = (places[name].to_numpy(np.int64) for name in ("start", "end"))
    length = end - start
    offset = np.append(0, np.cumsum(length))
    letters = np.full(offset[-1], _NONE, np.uint8)
    regions = regions.sort_values("rank", ascending=False, kind="stable")
    of_contig = regions.groupby("seqname", observed=True).indices
    strand = places["strand"].astype(str).to_numpy()
    for seqname, rows in places.groupby(contig.to_numpy()).indices.items():
        if seqname not in of_contig:
            continue
        here = regions.iloc[of_contig[seqname]]
        layers = {sign: _layers(here[here["strand"] == sign]) for sign in ("+", "-")}
        rows = rows[np.argsort(start[rows], kind="stable")]
        for sign, other in (("+", "-"), ("-", "+")):
            chosen = rows[strand[rows] == sign]
            within = _counting(length[chosen])
            positions = np.repeat(start[chosen], length[chosen]) + within
            found = layers[sign].at(positions)
            found = np.where(found == _NONE, layers[other].at(positions), found)
            # On - the last position of the place is its first nucleotide.
            within = (
                within if sign == "+" else np.repeat(length[chosen] - 1, length[chosen]) - within
            )
            letters[np.repeat(offset[chosen], length[chosen]) + within] = found
    text = letters.tobytes().decode("ascii")
    return [text[begin:stop] for begin, stop in pairwise(offset.tolist())]


def carry_over(
    places: pd.DataFrame, chains: Sequence[Chain] | None, fasta: str | Path | None = None
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the places that exist on another assembly as well, there, and how many were lost on the way and why.

    The paper asks for "100 % sequence identity": a place has to be in one aligned block (see `chain.lift`) and, where
    the genome is given, the bases there have to be those of its sequence.

    Args:
        places: `id`, `sequence` (ACGT, in the place's orientation), `seqname`, `start`, `end` (0-based half-open),
            `strand`, and any others; "" and -1, -1 where the place is not known.
        chains: of `chain.read_chain`, from the places' assembly to the other; None where both are the same.
        fasta: the genome of the other assembly, plain or bgzip; its contigs may be called as UCSC does or as Ensembl.

    Returns the rows that were carried over, with their new seqname (as the genome calls it), start, end and strand; and
    the counts `places`, `without_place`, `unaligned`, `partly_aligned`, with a genome `unknown_contig` and
    `other_bases`, and `carried_over`. Raises InputError where a place is not as long as its sequence, and where places
    were lifted and not one has its bases in the genome.
    """
    known = places[places["seqname"].astype(str) != ""]
    _check(known)
    wrong = (known["end"] - known["start"]) != known["sequence"].str.len()
    if wrong.any():
        raise InputError(
            f"place {known.loc[wrong, 'id'].iloc[0]!r}: the sequence and its position differ in length; starts"
            " count from 0, ends are not included"
        )
    lifted = (
        known[["seqname", "start", "end", "strand"]].assign(status=LIFTED)
        if chains is None
        else lift(chains, known)
    )
    counts = {"places": len(places), "without_place": len(places) - len(known)}
    counts |= {name: int((lifted["status"] == name).sum()) for name in (UNALIGNED, PARTLY_ALIGNED)}
    new = lifted[lifted["status"] == LIFTED].drop(columns="status")
    carried = known.loc[new.index].assign(**{name: new[name] for name in new})
    if fasta is not None:
        with open_genome(fasta) as genome:
            contigs = set(genome.keys())
            carried["seqname"] = as_in_genome(carried["seqname"], contigs)
            on_contig = carried["seqname"].isin(contigs)
            there = with_sequences(genome, carried[on_contig])["sequence"]
        same = there == carried.loc[on_contig, "sequence"]
        counts["unknown_contig"] = int((~on_contig).sum())
        counts["other_bases"] = int((~same).sum())
        if len(carried) and not same.any():
            raise InputError(
                f"{fasta}: of {len(carried)} lifted positions none has the bases of its sequence there"
                f" ({counts['unknown_contig']} on contigs missing from it); are the positions on the assembly"
                " that the chain file begins with, and is the genome the one that it ends with?"
            )
        carried = carried.loc[same.index[same]]
    counts["carried_over"] = len(carried)
    _log.info("lifted to the other assembly: %s", counts)
    return carried.reset_index(drop=True), counts


def _parts(
    annotation: pd.DataFrame, transcripts: pd.DataFrame, features: list[str]
) -> pd.DataFrame:
    """Rows of some features of the reference transcripts, with their rank, sorted by rank and start."""
    rows = annotation[annotation["feature"].isin(features)]
    rows = rows[rows["transcript_id"].isin(transcripts["transcript_id"])]
    rank = rows["gene_id"].astype(object).map(transcripts.set_index("gene_id")["rank"])
    rows = rows.assign(rank=rank).dropna(subset="rank").astype({"rank": np.int64})
    same = np.ones(len(rows), bool)
    for name in ("transcript_id", "seqname", "strand"):
        expected = transcripts[name].to_numpy()[rows["rank"]]
        same &= rows[name].astype(object).to_numpy() == expected
    columns = ["rank", "start", "end"]
    return rows.loc[same, columns].sort_values(["rank", "start"], ignore_index=True)


def _layers(regions: pd.DataFrame) -> Layers:
    """Regions of a strand of one contig, the best on top: letters as uint8."""
    letters = regions["region"].astype(str).to_numpy("S1").view(np.uint8)
    return lay(regions["start"].to_numpy(), regions["end"].to_numpy(), letters, _NONE)


def _counting(lengths: np.ndarray) -> np.ndarray:
    """0, 1, ... up to each of the lengths, one after the other."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)


def _check(places: pd.DataFrame) -> None:
    wrong = ~places["strand"].isin(("+", "-")) | (places["start"] < 0)
    wrong |= places["end"] <= places["start"]
    if wrong.any():
        row = places[wrong].iloc[0]
        raise InputError(
            f"place {row['seqname']}:{row['start']}-{row['end']}({row['strand']}): expected 0 <= start < end and"
            " strand + or -"
        )
