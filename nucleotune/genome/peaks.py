"""Peaks of ENCODE's eCLIP experiments, and bound and unbound sequences from them.

The other way to the paper's kind of data: on GRCh38 from the start, and by rules that can be read here. Peaks that
reproduce between replicates are fewer than those of the published benchmark, so results are not comparable with it.
"""

import logging
from bisect import bisect_left
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from nucleotune.delimited import (
    blanks_to_tabs,
    finite_number,
    records,
    split_cells,
    whole_number,
)
from nucleotune.errors import InputError
from nucleotune.genome.contigs import MAX_UNKNOWN, as_in_genome, is_chromosome
from nucleotune.genome.genome_file import open_genome
from nucleotune.genome.layers import Layers, lay
from nucleotune.genome.loci import overlap_clusters
from nucleotune.genome.windows import extract_windows

#: Biotypes of genes whose transcripts may hold peaks; those after lncRNA are its kinds in GENCODE before version 31.
HOST_BIOTYPES = (
    *("protein_coding", "lncRNA", "lincRNA", "antisense", "antisense_RNA", "sense_intronic"),
    *("sense_overlapping", "3prime_overlapping_ncRNA", "bidirectional_promoter_lncRNA"),
    *("macro_lncRNA", "non_coding", "processed_transcript"),
)

_TRIES = 100

#: Share of the peaks that may be outside transcripts and contigs. Few of a real eCLIP do, most of another assembly's.
_MOST_OUTSIDE = 0.5

_log = logging.getLogger(__name__)


def read_narrowpeak(path: str | Path) -> pd.DataFrame:
    """Read eCLIP peaks, plain or gzip, in ENCODE's narrowPeak: ten columns, the strand known, no summit.

    Returns columns `seqname`, `start`, `end` (0-based half-open), `strand`, `log2_fold` (column 7: over the
    size-matched input) and `minus_log10_p` (column 8), in file order. Lines of a track, of comments and empty ones are
    skipped. Raises InputError naming the line for anything else, and where there is no peak.
    """
    rows = []
    for number, line in records(path):
        line = line.strip(" \t")
        cells = split_cells(line if "\t" in line else blanks_to_tabs(line))
        try:
            rows.append(_peak(cells))
        except ValueError as error:
            raise InputError(
                f"{path}: line {number}: {error}; expected the ten columns of narrowPeak: chromosome, start, end,"
                " name, score, strand, log2 fold change, -log10 p, -log10 q, peak"
            ) from error
    if not rows:
        raise InputError(f"{path}: no peaks; expected narrowPeak")
    columns = ["seqname", "start", "end", "strand", "log2_fold", "minus_log10_p"]
    return pd.DataFrame(rows, columns=columns)


def peak_examples(
    peaks: Mapping[str, pd.DataFrame],
    transcripts: pd.DataFrame,
    fasta: str | Path,
    *,
    min_fold: float = 3,
    min_p: float = 3,
    length: int = 101,
    min_distance: int = 101,
    seed: int,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return as many sequences around peaks of an RBP (label 1) as of unbound places of the same transcripts (label 0).

    A bound sequence is centred on a strong peak, at (start + end) // 2; of peaks that overlap on a strand, as those of
    two cell lines do, on the strongest (-log10 p, then fold change). Its host is the best of the reference
    transcripts of protein-coding and lncRNA genes that have this position between their ends, introns included, on the
    same strand. The unbound sequence of the pair is centred on a position drawn uniformly between the host's ends, at
    least `min_distance` nt from every base of every peak on that strand, weak ones and other cell lines' included; with
    `min_distance` >= `length`, none shares a base with a bound one. Nor do two unbound sequences overlap on a strand. A
    pair without one after 100 tries is dropped. Sequences hold ACGT only and are all different.

    Args:
        peaks: of `read_narrowpeak`, by cell line.
        transcripts: of `ranking.reference_transcripts`.
        fasta: the genome, plain or bgzip. Peaks, transcripts and genome may each call contigs as UCSC does or as
            Ensembl does; the result has the genome's names.
        min_fold: least log2 fold change of a strong peak.
        min_p: least -log10 p of a strong peak.
        length: of each sequence, nt; the centre has index `length` // 2.
        min_distance: nt, see above.
        seed: of the random numbers; the same input and seed give the same rows.

    Returns columns `id` (chr1:100-201(+)), `sequence`, `label`, `group` (the host's gene), `seqname`, `start`, `end`
    (0-based half-open), `strand`, bound ones first and in the order of the genome, unbound ones as their partners; and
    the counts `peaks`, then those left out, each by the first reason (`weak`, `not_on_a_chromosome`, `overlapping`,
    `without_host`, `unknown_contig`, `off_contig`, `not_acgt`, `same_sequence`, `without_unbound`), and `pairs`. Raises
    InputError where no pair is left, and where most peaks are outside of transcripts or contigs.
    """
    with open_genome(fasta) as genome:
        contigs = list(genome.keys())
    lines = sorted(peaks)
    peaks, transcripts = (
        table.assign(seqname=as_in_genome(table["seqname"], contigs))
        for table in (pd.concat([peaks[name] for name in lines]), transcripts)
    )
    transcripts = transcripts[transcripts["gene_biotype"].isin(HOST_BIOTYPES)]
    transcripts = transcripts.sort_values("rank", ascending=False).set_index("rank", drop=False)
    downstream = length - length // 2 - 1
    counts = {"peaks": len(peaks)}

    def keep(reason: str, table: pd.DataFrame, kept: pd.Series | np.ndarray) -> pd.DataFrame:
        counts[reason] = int((~kept).sum())
        return table[kept].reset_index(drop=True)

    strong = (peaks["log2_fold"] >= min_fold) & (peaks["minus_log10_p"] >= min_p)
    bound = keep("weak", peaks, strong)
    # A genome that is all scaffolds has nothing better.
    scaffolds = {name for name in peaks["seqname"].unique() if not is_chromosome(name)}
    scaffolds = scaffolds if any(map(is_chromosome, contigs)) else set()
    _check_chromosomes(peaks["seqname"], scaffolds, f"{', '.join(lines)} and {fasta}")
    bound = keep("not_on_a_chromosome", bound, ~bound["seqname"].isin(scaffolds))
    bound = bound.assign(locus=overlap_clusters(bound))
    bound = bound.sort_values(["minus_log10_p", "log2_fold", "start", "end"], ascending=False)
    bound = keep("overlapping", bound, ~bound["locus"].duplicated())
    bound = bound.assign(position=(bound["start"] + bound["end"]) // 2)
    bound = bound.sort_values(["seqname", "position", "strand"], ignore_index=True)
    placed = len(bound)
    bound["host"] = _on_top(_by_strand(transcripts, transcripts["rank"]), bound)
    bound = keep("without_host", bound, bound["host"] >= 0)
    windows, found = extract_windows(fasta, bound.assign(id=bound.index), length, downstream)
    counts |= {name: found[name] for name in ("unknown_contig", "off_contig", "not_acgt")}
    outside = sum(counts[name] for name in ("without_host", "unknown_contig", "off_contig"))
    if outside > _MOST_OUTSIDE * placed:
        raise InputError(
            f"{fasta}: of {placed} strong peaks on chromosomes, {counts['without_host']} are in no transcript"
            f" of their strand, {counts['unknown_contig'] + counts['off_contig']} on no known contig or beyond"
            " its end; peaks,"
            " annotation and genome probably belong to different assemblies: take all three from one, such as GRCh38"
        )
    bound = windows.assign(host=bound["host"].to_numpy()[windows["id"]])
    bound = keep("same_sequence", bound, ~bound["sequence"].duplicated())

    # Positions too near to a peak: those less than min_distance from its first or last base.
    near = peaks.assign(
        start=peaks["start"] - min_distance + 1, end=peaks["end"] + min_distance - 1
    )
    unbound = _draw_unbound(
        bound,
        transcripts.loc[bound["host"]],
        _by_strand(near, pd.Series(1, near.index)),
        fasta,
        length,
        downstream,
        seed,
    )
    bound = keep("without_unbound", bound, bound.index.isin(unbound.index))
    counts["pairs"] = len(bound)
    _log.info("peaks to pairs: %s", counts)
    if bound.empty:
        raise InputError(
            f"{fasta}: no peak is left to make a pair from ({counts}); do peaks, annotation and genome belong"
            " to the same"
            " assembly?"
        )
    unbound = unbound.sort_index()
    table = pd.concat([bound.assign(label=1), unbound.assign(label=0)], ignore_index=True)
    names = zip(*(table[name] for name in ("seqname", "start", "end", "strand")), strict=True)
    table["id"] = [f"{seqname}:{start}-{end}({strand})" for seqname, start, end, strand in names]
    table["group"] = transcripts["gene_id"].loc[table["host"]].to_numpy()
    columns = ["id", "sequence", "label", "group", "seqname", "start", "end", "strand"]
    return table[columns], counts


def _check_chromosomes(seqname: pd.Series, scaffolds: Collection[str], source: str) -> None:
    """Say how many peaks of `source` are on scaffolds and the like; InputError where they are more than MAX_UNKNOWN."""
    found = seqname[seqname.isin(scaffolds)].value_counts()
    if found.empty:
        return
    names = ", ".join(f"{name} ({n})" for name, n in found.head(5).items())
    text = f"{found.sum()} of {len(seqname)} peaks are on contigs that are not chromosomes: {names}"
    if found.sum() > MAX_UNKNOWN * len(seqname):
        raise InputError(
            f"peaks of {source}: {text}; take peaks on an assembly's chromosomes, or a genome of scaffolds only"
        )
    _log.warning("%s; they are left out", text)


def _draw_unbound(
    bound: pd.DataFrame,
    hosts: pd.DataFrame,
    near_peaks: dict[tuple[str, str], Layers],
    fasta: str | Path,
    length: int,
    downstream: int,
    seed: int,
) -> pd.DataFrame:
    """An unbound window for each bound one (row by row with its host), on the index of `bound`; some are missing."""
    rng = np.random.default_rng(seed)
    low, high = hosts["start"].to_numpy(), hosts["end"].to_numpy()
    seen = set(bound["sequence"])
    taken: dict[tuple[str, str], list[int]] = {}
    pending, drawn = bound[["seqname", "strand", "host"]], []
    for _ in range(_TRIES):
        rows = pending.index.to_numpy()
        tries = pending.assign(id=rows, position=rng.integers(low[rows], high[rows]))
        tries = tries[_on_top(near_peaks, tries) < 0]
        if len(tries):
            windows = extract_windows(fasta, tries, length, downstream).table.set_index("id")
            accepted = []
            for row in windows.itertuples():
                starts = taken.setdefault((row.seqname, row.strand), [])
                at = bisect_left(starts, row.start)
                free = row.sequence not in seen
                free &= at == 0 or row.start - starts[at - 1] >= length
                free &= at == len(starts) or starts[at] - row.start >= length
                if free:
                    starts.insert(at, row.start)
                    seen.add(row.sequence)
                    accepted.append(row.Index)
            drawn.append(windows.loc[accepted].assign(host=pending["host"].loc[accepted]))
            pending = pending.drop(index=accepted)
        if pending.empty:
            break
    return pd.concat(drawn) if drawn else bound.iloc[:0]


def _by_strand(intervals: pd.DataFrame, values: pd.Series) -> dict[tuple[str, str], Layers]:
    """Intervals by contig and strand, each on top of those before it."""
    start, end, values = (
        c.to_numpy(np.int64) for c in (intervals["start"], intervals["end"], values)
    )
    groups = intervals.groupby(["seqname", "strand"], observed=True).indices
    return {key: lay(start[rows], end[rows], values[rows], -1) for key, rows in groups.items()}


def _on_top(layers: dict[tuple[str, str], Layers], places: pd.DataFrame) -> np.ndarray:
    """The value on top at each place's position, on its strand; -1 without any."""
    found = np.full(len(places), -1)
    position = places["position"].to_numpy()
    for key, rows in places.groupby(["seqname", "strand"], observed=True).indices.items():
        if key in layers:
            found[rows] = layers[key].at(position[rows])
    return found


def _peak(cells: list[str]) -> tuple[str, int, int, str, float, float]:
    if len(cells) != 10:
        raise ValueError(f"{len(cells)} columns")
    seqname, start, end, strand = cells[0], whole_number(cells[1]), whole_number(cells[2]), cells[5]
    if not seqname:
        raise ValueError("no chromosome")
    if start is None or end is None or not 0 <= start < end:
        raise ValueError(f"start {cells[1]!r} and end {cells[2]!r}")
    if strand not in ("+", "-"):
        raise ValueError(f"strand {strand!r}")
    fold, p = finite_number(cells[6]), finite_number(cells[7])
    if fold is None or p is None:
        raise ValueError(f"no finite numbers in columns 7 and 8, {cells[6]!r} and {cells[7]!r}")
    return seqname, start, end, strand, fold, p
