"""The RBP study's sources for a toy genome: GENCODE, a chain, RBPsuite, ENCODE's peaks, and what was planted.

One genome lies behind all of them. RBPsuite's sequences are of an older assembly: most can be carried over to the
annotated one, some lie across the edge of a chain's block, some have a base that has changed since.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nucleotune.errors import InputError
from nucleotune.sequence.alphabet import BASES, reverse_complement
from nucleotune.simulate.formats import write_lines
from nucleotune.simulate.genome import at_least, pick, trap_count
from nucleotune.simulate.paths import CELL_LINES, RBPS, rbp_fields, rbp_paths
from nucleotune.studies.rbp.toy_assembly import Cut, OlderChromosome, make_older
from nucleotune.studies.rbp.toy_encode import draw_peaks, write_manifest, write_peaks
from nucleotune.studies.rbp.toy_gencode import write_genome, write_gtf, write_md5sums
from nucleotune.studies.rbp.toy_genes import ToyGene
from nucleotune.studies.rbp.toy_genome import TELOMERE, Chromosome, make_genome
from nucleotune.studies.rbp.toy_sites import CENTRE, WIDTH, Window, deal_windows, plant_pair

MINIMUM_PER_CLASS = 20
SPARE = 1.2  # pairs written for every one asked for

# Of an RBP's windows: across the edge of a block, with a base changed since, with N in the older assembly.
EDGE_SHARE, CHANGED_SHARE, N_SHARE = 0.015, 0.01, 0.01
# Where in a window, from its middle; all elements lie within 36 bases of it.
EDGE_OFFSET, CHANGE_OFFSET, N_RUN = (40, 44), (-50, -38), 6
REPEATED_SHARE = 0.015  # of an RBP's rows: written twice; half as many again stand in both classes

OLDER_TELOMERE = 100
CUT_SHARE = 0.25  # of the stretches between genes
CUT_BASES = (1, 7)  # few enough for an edge to stay within its window
INVERTED_CHROMOSOME, INVERTED_SHARE = "chr2", 0.15  # of its genes


@dataclass(frozen=True)
class Record:
    """A window on the older assembly as RBPsuite has it; `fate` on the way to the newer: kept, edge, changed or n."""

    window: Window
    header: str
    sequence: str
    fate: str


def write_rbp_study(mirror: Path, *, name: str, seed: int, genes: int, per_class: int) -> dict:
    """Write the files of `paths.rbp_paths` under `mirror` and return what they hold.

    Same arguments, same bytes. `genes`: a fifth are lncRNAs; a few antisense genes come on top. `per_class`: there are
    more bound sequences than these, and other ones, also when those with N and repeated ones have been left out. Raises
    InputError where there are too few genes, or too few for so many sequences. Returned: `bases` of each chromosome;
    `genes` by biotype; `best`, genes by the reason why their transcript is to be taken; `blocks` of the chains; `rbps`,
    for each of RBPS: rows of `positive` and `negative`, `fates` of the records, `regions` of the bound ones, and
    `peaks` (strong, weak) by cell line.
    """
    rng = np.random.default_rng([seed, 2])
    chromosomes, antisense = make_genome(genes, rng)
    windows = _plant(chromosomes, per_class, rng)
    paths = {key: Path(mirror) / path for key, path in rbp_paths(name).items()}
    fields = rbp_fields(name)
    annotated = [*(gene for c in chromosomes for gene in c.genes), *antisense]
    sequences = {chromosome.name: chromosome.sequence() for chromosome in chromosomes}
    write_genome(paths["dna"], sequences)
    write_gtf(paths["gtf"], annotated, fields["assembly"])
    write_md5sums(paths["md5sums"], [paths["gtf"], paths["dna"]])
    fates = _draw_fates(windows, rng)
    older = _make_older(chromosomes, sequences, fates, rng)
    chains = [chromosome.chains(2 * i + 1) for i, chromosome in enumerate(older.values())]
    write_lines(paths["chain"], chains, end="")
    records = {
        rbp: [_record(window, older[window.gene.place.contig], fates) for window in windows[rbp]]
        for rbp in RBPS
    }
    summary = {
        "bases": {seqname: len(sequence) for seqname, sequence in sequences.items()},
        "genes": dict(sorted(Counter(gene.biotype for gene in annotated).items())),
        "best": dict(sorted(Counter(gene.why for gene in annotated).items())),
        "blocks": sum(len(chromosome.blocks) for chromosome in older.values()),
        "rbps": _write_rbpsuite(paths["rbpsuite"], records, rng),
    }
    files = {}
    for rbp in RBPS:
        others = [window for other in RBPS if other != rbp for window in windows[other]]
        bound = [window for window in windows[rbp] if window.label]
        for cell_line, peaks in draw_peaks(bound, others, rng).items():
            path = files[rbp, cell_line] = paths[f"peaks_{rbp}_{cell_line}"]
            track_line = (rbp, cell_line) == (RBPS[0], CELL_LINES[1])
            write_peaks(path, f"{rbp}_{cell_line}_IDR", peaks, track_line)
            strong = sum(peak.is_strong for peak in peaks)
            counts = {"strong": strong, "weak": len(peaks) - strong}
            summary["rbps"][rbp].setdefault("peaks", {})[cell_line] = counts
    write_manifest(paths["manifest"], name, files)
    _write_truth(paths, records, annotated)
    return summary


def _plant(
    chromosomes: Sequence[Chromosome], per_class: int, rng: np.random.Generator
) -> dict[str, list[Window]]:
    """Choose each RBP's windows and write their elements into the genes; bound and others alternate."""
    at_least("RBP study: per_class", per_class, MINIMUM_PER_CLASS)
    n = int(np.ceil(SPARE * per_class))
    dealt = [deal_windows(gene, rng) for c in chromosomes for gene in c.genes]
    windows: dict[str, list[Window]] = {}
    for rbp in RBPS:
        pairs = [pair for of_gene in dealt for pair in of_gene[rbp]]
        windows[rbp] = []
        for i in rng.permutation(len(pairs)):
            if len(windows[rbp]) == 2 * n:
                break
            windows[rbp] += plant_pair(pairs[i], rng) or ()
        if len(windows[rbp]) < 2 * n:
            raise InputError(
                f"RBP study: {len(dealt)} genes hold {len(windows[rbp]) // 2} pairs of {rbp} and per_class = "
                f"{per_class} needs {n}; give more genes or a smaller per_class"
            )
    return windows


def _draw_fates(
    windows: dict[str, list[Window]], rng: np.random.Generator
) -> dict[tuple[str, int], str]:
    """Choose windows that are not as they were in the older assembly, by chromosome and start."""
    fates = {}
    for of_rbp in windows.values():
        shares = {"edge": EDGE_SHARE, "changed": CHANGED_SHARE, "n": N_SHARE}
        counts = {fate: trap_count(share, len(of_rbp)) for fate, share in shares.items()}
        chosen = iter(pick(sum(counts.values()), range(len(of_rbp)), rng))
        for fate, count in counts.items():
            for _ in range(count):
                window = of_rbp[next(chosen)]
                fates[window.gene.place.contig, window.place[0]] = fate
    return fates


def _make_older(
    chromosomes: Sequence[Chromosome],
    sequences: dict[str, str],
    fates: dict[tuple[str, int], str],
    rng: np.random.Generator,
) -> dict[str, OlderChromosome]:
    older = {}
    for chromosome in chromosomes:
        sequence, n = sequences[chromosome.name], len(chromosome.genes)
        inverted, ends = None, set()
        if chromosome.name == INVERTED_CHROMOSOME:
            ends = {n // 3, n // 3 + max(2, round(INVERTED_SHARE * n))}
            inverted = (chromosome.gap_middle(min(ends)), chromosome.gap_middle(max(ends)))
        places = [i for i in range(1, n) if i not in ends]
        chosen = pick(max(2, round(CUT_SHARE * len(places))), places, rng)
        cuts = [_cut(chromosome.gap_middle(i), rng) for i in sorted(chosen)]
        changes = {}
        for (seqname, start), fate in fates.items():
            if seqname != chromosome.name:
                continue
            middle = start + CENTRE
            if fate == "edge":
                cuts.append(_cut(middle + int(rng.integers(*EDGE_OFFSET)), rng))
                continue
            at = middle + int(rng.integers(CHANGE_OFFSET[0], CHANGE_OFFSET[1] - N_RUN))
            if fate == "changed":
                changes[at] = str(rng.choice([b for b in BASES if b != sequence[at]]))
            else:
                changes |= dict.fromkeys(range(at, at + N_RUN), "N")
        older[chromosome.name] = make_older(
            chromosome.name,
            sequence,
            telomere=TELOMERE,
            older_telomere=OLDER_TELOMERE,
            changes=changes,
            cuts=sorted(cuts, key=lambda cut: cut.at),
            inverted=inverted,
            rng=rng,
        )
    return older


def _cut(at: int, rng: np.random.Generator) -> Cut:
    """Draw bases added, missing, or both."""
    kind = rng.random()
    extra = int(rng.integers(*CUT_BASES)) if kind < 0.6 else 0
    missing = int(rng.integers(*CUT_BASES)) if kind >= 0.4 else 0
    return Cut(at, extra, missing)


def _record(window: Window, older: OlderChromosome, fates: dict[tuple[str, int], str]) -> Record:
    middle, strand = older.position(window.place[0] + CENTRE)
    strand *= window.gene.place.strand
    start = middle - CENTRE
    sequence = older.sequence[start : start + WIDTH]
    header = f">{older.name}:{start}-{start + WIDTH}({'+' if strand == 1 else '-'})"
    fate = fates.get((window.gene.place.contig, window.place[0]), "kept")
    return Record(window, header, sequence if strand == 1 else reverse_complement(sequence), fate)


def _write_rbpsuite(
    path: Path, records: dict[str, list[Record]], rng: np.random.Generator
) -> dict[str, dict]:
    """Write RBPsuite's one text file and return what it holds of each RBP."""
    lines, summary = [], {}
    for rbp, of_rbp in records.items():
        n_repeated = trap_count(REPEATED_SHARE, len(of_rbp) // 2)
        bound = [record for record in of_rbp if record.window.label]
        unbound = [record for record in of_rbp if not record.window.label]
        clean = [i for i, record in enumerate(bound) if record.fate != "n"]
        repeated = pick(n_repeated, clean, rng)
        rows = {
            "positive": [*bound, *(bound[i] for i in repeated)],
            "negative": [*unbound, *(bound[i] for i in repeated[: -(-n_repeated // 2)])],
        }
        for name, found in rows.items():
            lines.append(f"./train_dir/{rbp}.{name}.fa")
            for i in rng.permutation(len(found)):
                lines += [found[i].header, found[i].sequence.replace("T", "U")]
        summary[rbp] = {name: len(found) for name, found in rows.items()}
        summary[rbp]["fates"] = dict(sorted(Counter(record.fate for record in of_rbp).items()))
        summary[rbp]["regions"] = dict(sorted(Counter(r.window.region for r in bound).items()))
    write_lines(path, lines)
    return summary


def _write_truth(
    paths: dict[str, Path], records: dict[str, list[Record]], genes: Sequence[ToyGene]
) -> None:
    """Write the elements of every record, where it lies on the newer assembly, and each gene's transcript to take."""
    sites = ["rbp\trecord\tlabel\telement\tstart\tend\tsequence"]
    places = ["rbp\trecord\tlabel\tgene_id\tregion\tseqname\tstart\tend\tstrand\tfate"]
    for rbp, of_rbp in records.items():
        for record in of_rbp:
            window, gene = record.window, record.window.gene
            key = f"{rbp}\t{record.header[1:]}\t{window.label}"
            for site in window.sites:
                end = site.first + len(site.sequence)
                sites.append(f"{key}\t{site.element}\t{site.first}\t{end}\t{site.sequence}")
            start, end = window.place
            place = f"{gene.place.contig}\t{start}\t{end}\t{gene.place.sign}\t{record.fate}"
            places.append(f"{key}\t{gene.id}\t{window.region}\t{place}")
    transcripts = ["gene_id\ttranscript_id\treason"]
    transcripts += [f"{gene.id}\t{gene.transcript_id(gene.best)}\t{gene.why}" for gene in genes]
    for key, lines in (("sites", sites), ("records", places), ("transcripts", transcripts)):
        write_lines(paths[f"truth_{key}"], lines)
