"""A toy genome as GENCODE serves it: annotation, genome and MD5SUMS."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from nucleotune.files import file_digest
from nucleotune.simulate.formats import QUICK, write_fasta, write_lines
from nucleotune.simulate.genome import Span, parts
from nucleotune.studies.rbp.toy_genes import ToyGene


def write_genome(path: Path, sequences: Mapping[str, str]) -> None:
    """Write the genome as FASTA, gzipped; a header is the name with `chr` and the name without."""
    records = [(f"{name} {name.removeprefix('chr')}", one) for name, one in sequences.items()]
    write_fasta(path, records, QUICK)


def write_gtf(path: Path, genes: Sequence[ToyGene], assembly: str) -> None:
    """Write GENCODE's GTF, gzipped.

    Versions stand inside the identifiers, the kinds are gene_type and transcript_type, numbers are not quoted, UTRs of
    both ends are `UTR`, and the stop codon belongs to the `UTR`, not to `CDS`.
    """
    lines = [
        f"##description: evidence-based annotation of the toy genome ({assembly}), version 37 (Ensembl 103)",
        "##provider: GENCODE",
        "##contact: none",
        "##format: gtf",
        "##date: 2020-12-07",
    ]
    for gene in sorted(genes, key=lambda gene: (gene.place.contig, gene.place.start)):
        lines += _gene_lines(gene)
    write_lines(path, lines, QUICK)


def write_md5sums(path: Path, files: Sequence[Path]) -> None:
    """Write MD5SUMS of files in one directory, as `md5sum` prints them."""
    write_lines(path, [f"{file_digest(file, 'md5')}  {file.name}" for file in files])


def _name(gene: ToyGene) -> str:
    return f"{'RBT' if gene.biotype == 'protein_coding' else 'LINCR'}{gene.number % 100000}"


def _gene_lines(gene: ToyGene) -> list[str]:
    def line(feature: str, span: Span, attributes: str, frame: str = ".") -> str:
        return gene.place.row("HAVANA", feature, span, attributes, frame)

    name = _name(gene)
    spans = [(isoform.exons[0][0], isoform.exons[-1][1]) for isoform in gene.isoforms]
    span = min(start for start, _ in spans), max(end for _, end in spans)
    of_gene = f'gene_id "{gene.id}"; ', f'gene_type "{gene.biotype}"; gene_name "{name}"; '
    lines = [line("gene", span, f"{''.join(of_gene)}level 2;")]
    for number, isoform in enumerate(gene.isoforms):
        transcript = gene.transcript_id(number)
        before = (
            f'{of_gene[0]}transcript_id "{transcript}"; {of_gene[1]}transcript_type '
            f'"{isoform.biotype}"; transcript_name "{name}-{201 + number}"; '
        )
        tags = ["basic"] if isoform.cds or gene.biotype == "lncRNA" else []
        tags += [isoform.appris] if isoform.appris else []
        after = f'level 2; transcript_support_level "{isoform.support}";'
        after += "".join(f' tag "{tag}";' for tag in tags)
        lines.append(line("transcript", spans[number], before + after))
        for feature, part, exon, frame in parts(isoform.exons, isoform.cds):
            exon_id = f"{transcript.split('.')[0].replace('TOYT', 'TOYE')}{exon:02d}.1"
            numbered = f'exon_number {exon}; exon_id "{exon_id}"; '
            lines.append(line(feature, part, before + numbered + after, frame))
    return lines
