"""The poly(A) study's sources for a toy yeast: genome, annotation in two forms, TIF-seq in two forms, what was planted.

One genome lies behind all of them: a gene's messages end at the sites planted behind it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from nucleotune.simulate.formats import QUICK, write_ensembl, write_lines
from nucleotune.simulate.genome import Place, Span, parts
from nucleotune.simulate.paths import polya_paths
from nucleotune.studies.polya.toy_genes import CONDITIONS
from nucleotune.studies.polya.toy_tifs import KEYS, LIBRARIES, draw_tifs, tif_types
from nucleotune.studies.polya.toy_yeast import MITOCHONDRION, YeastGene, make_yeast


def write_polya_study(
    mirror: Path, *, species: str, assembly: str, release: int, seed: int, genes: int
) -> dict:
    """Write the files of `paths.polya_paths` under `mirror` and return what they hold.

    Same arguments, same bytes. `genes`: nuclear protein-coding genes; a few others and those of the mitochondrion come
    on top. Raises InputError when they are too few. Returned: `bases` of each chromosome; `genes` by biotype; `sites`,
    the number of planted sites, and `switches`; `tifs`, the rows of the TIF-seq table, and `reads` by condition.
    """
    rng = np.random.default_rng([seed, 2])
    sequences, made = make_yeast(genes, rng)
    lengths = {name: len(sequence) for name, sequence in sequences.items()}
    tifs = draw_tifs(made, lengths, rng)
    paths = {
        name: Path(mirror) / path for name, path in polya_paths(species, assembly, release).items()
    }
    write_ensembl(paths, sequences, _gtf_rows(made), assembly)
    _write_gff3(paths["gff3"], made, lengths, assembly)
    _write_tsedall(paths["tifseq"], tifs)
    _write_s1(paths["tifs_s1"], tifs, made)
    _write_truth(paths["truth_polya_elements"], paths["truth_polya_sites"], made)
    planted = [element for gene in made if gene.signal for element in gene.signal.elements]
    return {
        "bases": lengths,
        "genes": dict(sorted(Counter(gene.biotype for gene in made).items())),
        "sites": sum(e.name == "cleavage" and e.site is not None for e in planted),
        "switches": sum(e.name == "switch" and e.site is not None for e in planted),
        "tifs": len(tifs),
        "reads": {
            condition: int(tifs[:, KEYS + i :: len(CONDITIONS)].sum())
            for i, condition in enumerate(CONDITIONS)
        },
    }


def accession(number: int) -> str:
    """Return the name of the `number`-th chromosome, from 1, in the archive's files."""
    return f"BK99{number:04d}.1"


def _gtf_rows(genes: Sequence[YeastGene]) -> list[str]:
    """The annotation as Ensembl has it for yeast: no versions, no UTRs, CDS without the stop codon."""
    lines = []
    for gene in genes:
        named = f' gene_name "{gene.name}";' if gene.name else ""
        of_gene = f'{named} gene_source "toy"; gene_biotype "{gene.biotype}";'
        transcript = gene.id if gene.signal is None else f"{gene.id}_mRNA"
        rest = f'{of_gene} transcript_source "toy"; transcript_biotype "{gene.biotype}"; tag "Ensembl_canonical";'
        gene_id = f'gene_id "{gene.id}";'
        ids = f'{gene_id} transcript_id "{transcript}";'
        place = gene.place
        span = 0, place.size
        lines.append(place.row("toy", "gene", span, gene_id + of_gene))
        lines.append(place.row("toy", "transcript", span, ids + rest))
        for feature, part, number, phase in parts(gene.exons, span if gene.signal else None):
            if feature != "UTR":
                own = {
                    "exon": f' exon_id "{transcript}-E{number}";',
                    "CDS": f' protein_id "{gene.id}";',
                }
                text = f'{ids} exon_number "{number}";{rest}{own.get(feature, "")}'
                lines.append(place.row("toy", feature, part, text, phase))
    return lines


def _write_gff3(
    path: Path, genes: Sequence[YeastGene], lengths: Mapping[str, int], assembly: str
) -> None:
    """Write the annotation as NCBI does for yeast: contigs by accession, no mitochondrion, CDS with the stop codon."""
    lines = ["##gff-version 3", "#!gff-spec-version 1.21", f"#!genome-build {assembly}"]
    for number, (chromosome, length) in enumerate(lengths.items(), start=1):
        if chromosome == MITOCHONDRION:
            continue
        contig = accession(number)
        lines.append(f"##sequence-region {contig} 1 {length}")
        named = f"Name={chromosome};chromosome={chromosome};gbkey=Src;genome=chromosome"
        lines.append(
            f"{contig}\ttpg\tregion\t1\t{length}\t.\t+\t.\tID={contig}:1..{length};{named};mol_type=genomic DNA"
        )
        for gene in genes:
            if gene.place.contig == chromosome:
                lines += _gff3_rows(gene, replace(gene.place, contig=contig))
    write_lines(path, lines, QUICK)


def _gff3_rows(gene: YeastGene, place: Place) -> list[str]:
    coding = gene.signal is not None
    kind = "mRNA" if coding else gene.biotype
    name = f"gene={gene.name};locus_tag={gene.id}" if gene.name else f"locus_tag={gene.id}"
    span = 0, place.size

    def row(feature: str, span: Span, text: str, phase: int | str = ".") -> str:
        return place.row("tpg", feature, span, f"{text};{name}", phase)

    shown = f"Name={gene.name or gene.id};gbkey=Gene;gene_biotype={gene.biotype}"
    feature = "pseudogene" if gene.biotype == "pseudogene" else "gene"
    rows = [row(feature, span, f"ID=gene-{gene.id};{shown}")]
    if feature == "pseudogene":
        return rows
    of_transcript = f"Parent=rna-{gene.id};gbkey={kind}"
    rows.append(row(kind, span, f"ID=rna-{gene.id};Parent=gene-{gene.id};gbkey={kind}"))
    for k, exon in enumerate(gene.exons, start=1):
        rows.append(row("exon", exon, f"ID=exon-{gene.id}-{k};{of_transcript}"))
    before = 0
    for start, end in gene.exons if coding else ():
        protein = f"ID=cds-{gene.id}.1;Parent=rna-{gene.id};Name={gene.id}.1;gbkey=CDS"
        rows.append(row("CDS", (start, end), f"{protein};protein_id={gene.id}.1", -before % 3))
        before += end - start
    return rows


def _write_tsedall(path: Path, tifs: np.ndarray) -> None:
    lines = ["\t".join(["chr", "strand", "t5", "t3", *LIBRARIES])]
    for chromosome, strand, *rest in tifs.tolist():
        lines.append("\t".join([str(chromosome), "+-"[strand < 0], *map(str, rest)]))
    write_lines(path, lines, QUICK)


def _write_s1(path: Path, tifs: np.ndarray, genes: Sequence[YeastGene]) -> None:
    """Write the table as the paper's supplement has it: blanks between fields and in types, one column a condition."""
    reads = [tifs[:, KEYS + i :: len(CONDITIONS)].sum(axis=1) for i in range(len(CONDITIONS))]
    lines = ["chr strand t5 t3 ypd gal type name"]
    for (chromosome, strand, t5, t3), ypd, gal, (kind, name) in zip(
        tifs[:, :KEYS].tolist(), *(column.tolist() for column in reads), tif_types(tifs, genes),
        strict=True,
    ):  # fmt: skip
        lines.append(f"{chromosome} {'+-'[strand < 0]} {t5} {t3} {ypd} {gal} {kind} {name}")
    write_lines(path, lines, QUICK)


def _write_truth(elements: Path, sites: Path, genes: Sequence[YeastGene]) -> None:
    """Write every planted element, and every site with its strengths; positions are those of the window, from 0."""
    planted = ["gene_id\telement\tposition\tsequence\tsite\tstrength"]
    found = [
        "gene_id\tseqname\tstrand\tsite\tposition\t"
        + "\t".join(f"strength_{c}" for c in CONDITIONS)
    ]
    for gene in genes:
        if gene.signal is None:
            continue
        for e in gene.signal.elements:
            site = "" if e.site is None else e.site
            planted.append(f"{gene.id}\t{e.name}\t{e.position}\t{e.sequence}\t{site}\t{e.weight:g}")
        for number, site in gene.signal.sites.items():
            strengths = (f"{gene.signal.strength(number, c):.4g}" for c in CONDITIONS)
            place = f"{gene.place.contig}\t{gene.place.sign}\t{number}\t{site.position}"
            found.append("\t".join([gene.id, place, *strengths]))
    write_lines(elements, planted)
    write_lines(sites, found)
