"""Poly(A) study: 300 nt from the stop codon on, and the counts of transcripts' 3' ends at each of them.

The window of a gene is its stop codon and what follows it in the genome, in the orientation of the gene: what SpeciesLM
was trained on (Gankin et al., bioRxiv 2023), and what the paper (section 4.1) cuts to 300 nt. Guards see to it that
annotation, genome and counts are of one assembly: windows begin with a stop codon, 3' ends are on their contigs, on the
strand of the genes and at places rich in A, and transcripts that cover an intact ORF cover that of the annotation.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from nucleotune.errors import InputError
from nucleotune.genome.contigs import is_mitochondrion, names_in_genome, rename_contigs
from nucleotune.genome.counts import count_in_windows
from nucleotune.genome.ends import PLACE
from nucleotune.genome.genome_file import open_genome
from nucleotune.genome.stop_codons import CONVENTIONS, coding_genes, stop_positions
from nucleotune.genome.windows import extract_windows
from nucleotune.studies.leaks import identical, leakage, shared_sequences
from nucleotune.studies.polya.guards import check_depth, covered_orfs, judge_ends

STOP_CODONS = ("TAA", "TAG", "TGA")

#: Largest share of windows without stop codon, of reads beyond a contig, of transcripts that do not cover their ORF.
MAX_WRONG = 0.01


class PolyaExamples(NamedTuple):
    """Examples of n genes; the arguments of `profile_contracts.write_profile_examples`, and the data card.

    table   id and group (gene), sequence (L nt), split, seqname, start, end (0-based half-open), strand
    counts  int64 (n, tracks, L), in the orientation of the gene
    tracks  their names
    card    waterfall of the genes, guards, reads inside windows
    """

    table: pd.DataFrame
    counts: np.ndarray
    tracks: tuple[str, ...]
    card: dict[str, Any]


def build_examples(
    annotation: pd.DataFrame,
    genome: str | Path,
    ends: pd.DataFrame,
    *,
    chromosomes: Mapping[str, Sequence[str]],
    length: int = 300,
    min_reads: int = 1,
    aliases: Mapping[str, str] | None = None,
    intact_orfs: pd.DataFrame | None = None,
    files: Mapping[str, str | Path] | None = None,
) -> PolyaExamples:
    """Examples of all protein-coding genes that have reads after their stop codon.

    Args:
        annotation: rows of `read_annotation`; features CDS and stop_codon are used.
        genome: FASTA, plain or bgzip.
        ends: 3' ends by position (`genome.ends`).
        chromosomes: those of `test` and `valid`, by split, in any naming; all others are `train`.
        length: of a window, nt, its stop codon included.
        min_reads: a gene with fewer in its window, over all tracks, is left out. One track may have none.
        aliases: further names of contigs (`genome.contigs.names_in_genome`), of any of the sources.
        intact_orfs: of `ends.read_intact_orfs`, for the guard.
        files: names of `annotation` and `ends`, for messages.

    Raises InputError where a guard (more than MAX_WRONG) or a name of a contig fails, where a step leaves no gene, for
    a chromosome that is unknown or given twice, for a split without genes and a track without reads to judge in it.
    """
    if length < len(STOP_CODONS[0]) or min_reads < 1:
        raise InputError(f"polya: length={length}, min_reads={min_reads}; expected 3 and 1 or more")
    files = {"annotation": "annotation", "ends": "3' ends", **(files or {})}
    with open_genome(genome) as fasta:
        contigs = {name: len(fasta[name]) for name in fasta.keys()}  # noqa: SIM118 (no dict)
    split_of = _splits_of_contigs(chromosomes, contigs, aliases, genome)
    steps: list[dict[str, Any]] = []

    genes = coding_genes(annotation)
    if genes.empty:
        raise InputError(f"{files['annotation']}: no protein-coding gene with rows of feature CDS")
    _step(steps, "protein-coding genes with a CDS", genes)
    names = {"contigs": contigs, "aliases": aliases, "genome": genome}
    genes, genes_elsewhere = rename_contigs(genes, source=files["annotation"], **names)
    _step(steps, "on a contig of the genome", genes)
    genes = genes[~genes["seqname"].astype("str").map(is_mitochondrion).astype(bool)]
    _step(
        steps, "not of the mitochondrion", genes, "does the genome contain only the mitochondrion?"
    )
    windows, stop_codons = _windows(genes, genome, length, steps, files["annotation"])

    reads = ends.drop(columns=list(PLACE)).sum()
    placed, reads_elsewhere, reads_beyond = _placed(ends, files["ends"], names)
    counts, times = count_in_windows(placed, windows)
    tracks = tuple(map(str, reads.index))
    totals = counts.sum((1, 2))
    enough = totals >= min_reads
    examples, counts = windows[enough].reset_index(drop=True), counts[enough]
    _step(
        steps,
        f"with {min_reads} reads or more",
        examples,
        f"lower polya.min_reads: no gene has more than {totals.max()} reads",
    )
    examples["split"] = examples["seqname"].map(split_of).fillna("train")
    examples["group"] = examples["id"]
    columns = ["id", "sequence", "split", "group", "seqname", "start", "end", "strand"]
    inside = placed.loc[times > 0, list(tracks)].sum()
    card = {
        "length": length,
        "waterfall": steps,
        "stop_codons": stop_codons,
        "unknown_contigs": {"genes": genes_elsewhere, "reads": reads_elsewhere},
        "reads_beyond_contigs": reads_beyond,
        "intact_orfs": _intact_orfs(intact_orfs, genes, files, names),
        "ends": judge_ends(placed, examples, counts, files["ends"]),
        "reads": {
            track: {
                "all": int(reads[track]),
                "in_windows": int(inside[track]),
                "share": float(inside[track] / max(reads[track], 1)),
                "genes_without": int((counts[:, number].sum(-1) == 0).sum()),
            }
            for number, track in enumerate(tracks)
        },
        "reads_in_several_windows": int(placed.loc[times > 1, list(tracks)].sum().sum()),
        "positions_with_reads": int((counts.sum(1) > 0).sum()),
        "bases": _bases(examples["sequence"], counts.sum(1)),
        "splits": _splits(examples, counts, tracks),
        "chromosomes": {
            part: list(dict.fromkeys(rows["seqname"])) for part, rows in examples.groupby("split")
        },
        "leakage": leakage(examples["split"], examples["group"])
        | shared_sequences(examples, both_strands=False),
        "identical": identical(examples, both_strands=False),
    }
    check_depth(examples["split"], counts, tracks, files["ends"])
    return PolyaExamples(examples[columns], counts, tracks, card)


def _windows(
    genes: pd.DataFrame,
    genome: str | Path,
    length: int,
    steps: list[dict[str, Any]],
    source: str | Path,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Windows that begin with a stop codon, and how they were found; adds to the waterfall."""
    has_rows = (genes["stop_start"] >= 0).any()
    found = []
    for convention in CONVENTIONS[:1] if has_rows else CONVENTIONS[1:]:
        position = stop_positions(genes, convention)
        places = genes[["id", "seqname", "strand"]].assign(position=position)[position >= 0]
        table, counts = extract_windows(genome, places, length, downstream=length - 1)
        codons = table["sequence"].str[:3]
        found.append((codons.isin(STOP_CODONS).mean(), convention, table, codons, counts))
    # Whether a CDS holds the stop codon is seen in the genome.
    share, convention, table, codons, counts = max(found, key=lambda one: np.nan_to_num(one[0]))
    kept = table[codons.isin(STOP_CODONS)].reset_index(drop=True)
    for step, number, mend in (
        (
            "stop codon known and in one piece",
            counts["places"],
            "does the annotation have stop codons?",
        ),
        (
            "window on the contig",
            counts["places"] - counts["off_contig"],
            f"lower polya.length ({length}): windows reach beyond the ends of contigs",
        ),
        ("window without N", counts["windows"], "is the genome masked by N?"),
    ):
        _step(steps, step, number, mend)
    if not len(table) or 1 - share > MAX_WRONG:
        wrong = table["id"][~codons.isin(STOP_CODONS)].head(3).tolist()
        raise InputError(
            f"{source} and {genome}: {len(kept)} of {len(table)} windows begin with a stop codon (TAA, TAG,"
            f" TGA); exceptions include {', '.join(wrong)}; at least {1 - MAX_WRONG:.0%} should. Are annotation"
            " and genome on the same assembly?"
        )
    _step(steps, "begins with TAA, TAG or TGA", kept)
    codon_counts = {codon: int((codons == codon).sum()) for codon in STOP_CODONS}
    return kept, {"taken_from": convention, "share": float(share), **codon_counts}


def _placed(
    ends: pd.DataFrame, source: str | Path, names: Mapping[str, Any]
) -> tuple[pd.DataFrame, dict[str, int], int]:
    """3' ends on contigs of the genome, the reads on others by contig, and those beyond the end of theirs."""
    reads = ends.drop(columns=list(PLACE)).sum(axis=1)
    if not reads.sum():
        raise InputError(f"{source}: no reads")
    placed, elsewhere = rename_contigs(ends, source=source, weights=reads, **names)
    size = placed["seqname"].astype("str").map(names["contigs"])
    beyond = placed["position"] >= size
    n_beyond = int(reads[placed.index][beyond].sum())
    if n_beyond > MAX_WRONG * reads.sum():
        place = placed[beyond].iloc[0]
        raise InputError(
            f"{source}: {n_beyond} of {reads.sum()} reads are beyond the end of their contig in {names['genome']}, the"
            f" first at {place['seqname']}:{place['position'] + 1}; are they on another assembly?"
        )
    return placed[~beyond], elsewhere, n_beyond


def _intact_orfs(
    intact: pd.DataFrame | None,
    genes: pd.DataFrame,
    files: Mapping[str, str | Path],
    names: Mapping[str, Any],
) -> dict[str, Any] | None:
    """`covered_orfs`, for sources that name ORFs."""
    if intact is None or intact.empty:
        return None
    intact, _ = rename_contigs(intact, source=files["ends"], **names)
    return covered_orfs(intact, genes, files, MAX_WRONG)


def _splits_of_contigs(
    chromosomes: Mapping[str, Sequence[str]],
    contigs: Mapping[str, int],
    aliases: Mapping[str, str] | None,
    genome: str | Path,
) -> dict[str, str]:
    """Split of each contig that is held out, by its name in the genome."""
    splits: dict[str, str] = {}
    for part in ("test", "valid"):
        for name in map(str, chromosomes.get(part) or ()):
            # Each by itself: VII and 7 are one, and may both be given.
            contig = names_in_genome([name], contigs, aliases).get(name)
            if contig is None:
                raise InputError(
                    f"chromosome {name!r}, to be held out for {part}, is not in {genome}; it has"
                    f" {', '.join(list(contigs)[:20])}"
                )
            if contig in splits:
                raise InputError(
                    f"chromosome {name!r} is given twice, for {splits[contig]} and for {part}"
                )
            splits[contig] = part
    return splits


def _splits(
    examples: pd.DataFrame, counts: np.ndarray, tracks: tuple[str, ...]
) -> dict[str, dict[str, int]]:
    """Genes and reads of each split."""
    splits = {}
    for part in ("train", "valid", "test"):
        rows = (examples["split"] == part).to_numpy()
        if not rows.any():
            raise InputError(f"split {part!r} has no genes with reads; hold out other chromosomes")
        reads = zip(tracks, counts[rows].sum((0, 2)).tolist(), strict=True)
        splits[part] = {"genes": int(rows.sum())} | {f"reads, {name}": n for name, n in reads}
    return splits


def _bases(sequences: pd.Series, reads: np.ndarray) -> dict[str, dict[str, float]]:
    """Shares of the bases at 3' ends and next to them, by read: positions that are off by one show here."""
    letters = np.array([list(sequence) for sequence in sequences])
    return {
        name: {base: float(weight[there == base].sum() / max(weight.sum(), 1)) for base in "ACGT"}
        for name, there, weight in (
            ("before", letters[:, :-1], reads[:, 1:]),
            ("at", letters, reads),
            ("after", letters[:, 1:], reads[:, :-1]),
        )
    }


def _step(steps: list[dict[str, Any]], name: str, kept: pd.DataFrame | int, mend: str = "") -> None:
    """Add a step to the waterfall. Raises InputError, which ends with `mend`, where it leaves no gene."""
    kept = kept if isinstance(kept, int) else len(kept)
    dropped = steps[-1]["kept"] - kept if steps else 0
    if not kept:
        raise InputError(f"polya: none of {dropped} genes is left after the step {name!r}; {mend}")
    steps.append({"class": "genes", "step": name, "kept": kept, "dropped": dropped})
