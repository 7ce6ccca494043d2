"""The promoter study's sources for a toy species: Ensembl's genome and GTF, GTEx, EPDnew and GUE, and what was planted.

One genome lies behind all of them: a TSS of EPDnew is that of a transcript in the GTF, a positive of GUE the window
around it, and expression follows the elements planted there.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from nucleotune.sequence.alphabet import BASES
from nucleotune.simulate.formats import QUICK, write_ensembl, write_lines
from nucleotune.simulate.genome import CHROMOSOMES, Span, edges, pick, trap_count
from nucleotune.simulate.paths import GUE_PARTS, promoter_paths
from nucleotune.studies.promoters.toy_expression import TISSUES, median_tpm
from nucleotune.studies.promoters.toy_genome import OTHER_BIOTYPES, ToyGene, Transcript, make_genome
from nucleotune.studies.promoters.toy_sequences import EPD_ELEMENTS, UPSTREAM, Promoter

EPD_SHARE = 0.82  # of named coding genes on chromosomes
EPD_BOX = (49, 11)  # bases before the TSS, and from it on
GUE_WINDOW = (249, 51)
GUE_PIECES, GUE_REPLACED = 20, 12  # how GUE's negatives are made of positives
GUE_SHARES = {"train": 0.8, "dev": 0.1, "test": 0.1}

# Traps of the expression table: genes of the GTF that it lacks, older versions of the others, identifiers retired
# since, copies on Y that GTEx keeps with zeros.
NOT_IN_GTEX = {"protein_coding": 0.03, "lncRNA": 0.08, **dict.fromkeys(OTHER_BIOTYPES, 0.1)}
OLDER_VERSION_SHARE = 0.3
RETIRED_SHARE = 0.03
RETIRED_FIRST = 2_000_001
PAR_Y_GENES = 2

Annotated = tuple[ToyGene, Transcript, Promoter]


def write_promoter_study(
    mirror: Path, *, species: str, assembly: str, release: int, seed: int, genes: int
) -> dict:
    """Write the files of `paths.promoter_paths` under `mirror` and return what they hold.

    Same arguments, same bytes. `genes`: coding and lncRNA genes, half each; a few of other biotypes come on top. Raises
    InputError when they are too few. Returned: `bases` of each seq_region; `genes` by biotype; rows of `gtex`, `epd`
    and each part of `gue`; `epd_tataless`, the promoters of EPDnew without a TATA box.
    """
    rng = np.random.default_rng([seed, 1])
    sequences, made = make_genome(genes, rng)
    paths = {
        name: Path(mirror) / path
        for name, path in promoter_paths(species, assembly, release).items()
    }
    write_ensembl(paths, sequences, _gtf_rows(made), assembly)
    in_gtex = _write_gct(paths["gtex"], made, rng)
    in_epd = _epd_promoters(made, rng)
    _write_bed(paths["epd"], in_epd)
    _write_motifs(paths["epd_motifs"], in_epd)
    tataless = [promoter for _, (_, _, promoter) in in_epd if not _has(promoter, "TATA-box")]
    gue = _write_gue({part: paths[f"gue_{part}"] for part in GUE_PARTS}, tataless, rng)
    _write_truth(paths["truth_elements"], paths["truth_promoters"], made)
    return {
        "bases": {name: len(sequence) for name, sequence in sequences.items()},
        "genes": dict(sorted(Counter(gene.biotype for gene in made).items())),
        "gtex": in_gtex,
        "epd": len(in_epd),
        "epd_tataless": len(tataless),
        "gue": gue,
    }


def _gtf_rows(genes: Sequence[ToyGene]) -> list[str]:
    lines = []
    for gene in genes:

        def row(feature: str, span: Span, *attributes: str, gene: ToyGene = gene) -> str:
            text = " ".join(f"{attribute};" for attribute in attributes if attribute)
            return gene.place.row("ensembl_havana", feature, span, text)

        gene_id = (f'gene_id "{gene.id}"', f'gene_version "{gene.version}"')
        described = (
            f'gene_name "{gene.symbol}"' if gene.symbol else "",
            'gene_source "ensembl_havana"',
            f'gene_biotype "{gene.biotype}"',
        )
        lines.append(row("gene", gene.transcripts[0].span, *gene_id, *described))
        for number, transcript in enumerate(gene.transcripts):
            transcript_id = (
                f'transcript_id "{transcript.id}"',
                f'transcript_version "{transcript.version}"',
            )
            rest = (
                *described,
                f'transcript_name "{gene.symbol}-{201 + number}"' if gene.symbol else "",
                'transcript_source "ensembl_havana"',
                f'transcript_biotype "{gene.biotype}"',
            )
            first = number == 0
            tags = ('tag "gencode_basic"', 'tag "Ensembl_canonical"' if first else "")
            support = f'transcript_support_level "{1 if first else "NA"}"'
            common = (*gene_id, *transcript_id)
            lines.append(row("transcript", transcript.span, *common, *rest, *tags, support))
            for k, span in enumerate(transcript.exons, start=1):
                exon_id = f'exon_id "{transcript.id.replace("TOYT", "TOYE")}{k:02d}"'
                exon = (f'exon_number "{k}"', *rest, exon_id, 'exon_version "1"')
                lines.append(row("exon", span, *common, *exon, *tags, support))
    return lines


def _write_gct(path: Path, genes: Sequence[ToyGene], rng: np.random.Generator) -> int:
    """Write GTEx's table and return its number of rows."""
    rows = []
    for gene, tpm in zip(genes, median_tpm(genes, rng), strict=True):
        clone = f"AC{int(rng.integers(1, 10**6)):06d}.1"
        older = int(rng.random() < OLDER_VERSION_SHARE)
        if rng.random() >= NOT_IN_GTEX[gene.biotype]:
            identifier = f"{gene.id}.{max(1, gene.version - older)}"
            rows.append((identifier, gene.symbol or clone, tpm))
    for identifier, symbol, tpm in rows[:PAR_Y_GENES]:
        rows.append((f"{identifier}_PAR_Y", symbol, np.zeros_like(tpm)))
    for k in range(trap_count(RETIRED_SHARE, len(genes))):
        tpm = np.maximum(rng.normal(0.0, 2.0, len(TISSUES)), 0.0)
        rows.append((f"ENSTOYG{RETIRED_FIRST + k:011d}.1", f"AC{RETIRED_FIRST + k}.1", tpm))
    lines = ["#1.2", f"{len(rows)}\t{len(TISSUES)}", "\t".join(["Name", "Description", *TISSUES])]
    for identifier, symbol, tpm in rows:
        lines.append("\t".join([identifier, symbol, *(f"{value:.6g}" for value in tpm)]))
    write_lines(path, lines, QUICK)
    return len(rows)


def _epd_promoters(
    genes: Sequence[ToyGene], rng: np.random.Generator
) -> list[tuple[str, Annotated]]:
    """Choose the promoters EPDnew has, as (name, what it is of), in the order of the genome."""
    chosen = []
    for gene in genes:
        known = (
            gene.biotype == "protein_coding" and gene.symbol and gene.place.contig in CHROMOSOMES
        )
        if known and rng.random() < EPD_SHARE:
            for number, annotated in enumerate(_promoters([gene]), start=1):
                chosen.append((f"{gene.symbol}_{number}", annotated))
    return chosen


def _write_bed(path: Path, promoters: Sequence[tuple[str, Annotated]]) -> None:
    before, after = EPD_BOX
    lines = []
    for name, (gene, transcript, _) in promoters:
        tss = gene.tss(transcript)
        if gene.place.strand == 1:
            box, thick = (tss - before, tss + after), (tss, tss + after)
        else:
            first = tss + 1 - after
            box, thick = (first, tss + 1 + before), (first, tss + 1)
        fields = (f"chr{gene.place.contig}", *box, name, 900, gene.place.sign, *thick)
        lines.append(" ".join(map(str, fields)))
    write_lines(path, lines)


def _write_motifs(path: Path, promoters: Sequence[tuple[str, Annotated]]) -> None:
    lines = ["\t".join(["#Name", *EPD_ELEMENTS])]
    for name, (_, _, promoter) in promoters:
        lines.append("\t".join([name, *(str(int(_has(promoter, e))) for e in EPD_ELEMENTS)]))
    write_lines(path, lines)


def _write_gue(
    paths: dict[str, Path], promoters: Sequence[Promoter], rng: np.random.Generator
) -> dict[str, int]:
    """Write GUE's three parts and return their rows: windows and as many negatives, dealt out row by row."""
    before, after = GUE_WINDOW
    positives = [promoter.sequence[UPSTREAM - before : UPSTREAM + after] for promoter in promoters]
    rows = [f"{sequence},1" for sequence in positives]
    rows += [f"{gue_negative(sequence, rng)},0" for sequence in positives]
    shuffled = [rows[i] for i in rng.permutation(len(rows))]
    cuts = edges(GUE_SHARES.values(), len(rows))
    written = {}
    for part, (first, last) in zip(GUE_SHARES, pairwise(cuts), strict=True):
        # The hub's files end their lines so.
        write_lines(paths[part], ["sequence,label", *shuffled[first:last]], end="\r\n")
        written[part] = last - first
    return written


def gue_negative(sequence: str, rng: np.random.Generator) -> str:
    """Make a negative of a positive as GUE does: of 20 pieces, 12 are replaced by random bases, 8 stay in place."""
    size = len(sequence) // GUE_PIECES
    bases = list(sequence)
    for i in pick(GUE_REPLACED, range(GUE_PIECES), rng):
        bases[i * size : (i + 1) * size] = [BASES[k] for k in rng.integers(4, size=size)]
    return "".join(bases)


def _write_truth(elements: Path, promoters: Path, genes: Sequence[ToyGene]) -> None:
    """Write the sites of every promoter (offset of the first base from the TSS) and what they add up to (log2 TPM)."""
    planted = ["gene_id\ttranscript_id\telement\toffset\tstrand\tsequence"]
    drawn = ["gene_id\ttranscript_id\tbiotype\tseq_region\ttss\tstrand\tisland\tactivity"]
    for gene, transcript, promoter in _promoters(genes):
        ids = f"{gene.id}\t{transcript.id}"
        for site in sorted(promoter.sites, key=lambda site: site.first):
            strand = "+" if site.strand == 1 else "-"
            planted.append(f"{ids}\t{site.name}\t{site.first}\t{strand}\t{site.sequence}")
        place = f"{gene.place.contig}\t{gene.tss(transcript)}\t{gene.place.sign}"
        drawn.append(
            f"{ids}\t{gene.biotype}\t{place}\t{int(promoter.island)}\t{promoter.activity:.2f}"
        )
    write_lines(elements, planted)
    write_lines(promoters, drawn)


def _promoters(genes: Sequence[ToyGene]) -> list[Annotated]:
    return [(g, t, t.promoter) for g in genes for t in g.transcripts if t.promoter]


def _has(promoter: Promoter, element: str) -> bool:
    return any(site.name == element for site in promoter.sites)
