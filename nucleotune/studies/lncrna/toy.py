"""The toy species as Ensembl serves it: cds and ncrna FASTA with their CHECKSUMS."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from nucleotune.simulate.composition import first_stop
from nucleotune.simulate.formats import kind_of, write_checksums, write_fasta
from nucleotune.simulate.genome import SCAFFOLDS
from nucleotune.simulate.paths import toy_paths
from nucleotune.studies.lncrna.toy_genes import HAPLOTYPE, Gene, make_genes, transcript_span
from nucleotune.studies.lncrna.toy_loci import SMALL_RNA_LENGTHS, Transcript, transcript_sequence

#: Which file holds a gene is decided by the biotype of the gene, never by that of the transcript.
NONCODING_GENE_BIOTYPES = frozenset({"lncRNA", *SMALL_RNA_LENGTHS})


def write_toy_species(
    mirror: Path,
    *,
    species: str,
    assembly: str,
    release: int,
    seed: int,
    coding_genes: int,
    lncrna_genes: int,
    small_rnas: int,
) -> dict:
    """Write the files of `paths.toy_paths` under `mirror` and return what they hold.

    Same arguments, same bytes. The numbers are those of `genes.make_genes`, which raises InputError
    when they are too small. Returned: `genes` by biotype; for `cds` and `ncrna` each `records` by
    "gene biotype/transcript biotype", `longest` (nt), `bases` and `traps`, the number of records
    (not genes) of each awkward kind; `decoy_orf_genes`.
    """
    genes = make_genes(seed, coding_genes, lncrna_genes, small_rnas)
    paths = {
        name: Path(mirror) / path for name, path in toy_paths(species, assembly, release).items()
    }
    summary: dict = {"genes": _counts(gene.locus.biotype for gene in genes)}
    for kind in ("cds", "ncrna"):
        chosen = [
            gene
            for gene in genes
            if (gene.locus.biotype in NONCODING_GENE_BIOTYPES) == (kind == "ncrna")
        ]
        records = [
            (
                fasta_header(gene, number, kind, assembly),
                transcript_sequence(gene.locus, transcript),
            )
            for gene in chosen
            for number, transcript in enumerate(gene.locus.transcripts)
        ]
        write_fasta(paths[kind], records)
        write_checksums(paths[f"{kind}_checksums"], [paths[kind]])
        summary[kind] = _summary(chosen)
    summary["decoy_orf_genes"] = sum(gene.locus.decoy_orf for gene in genes)
    return summary


def fasta_header(gene: Gene, number: int, kind: str, assembly: str) -> str:
    """Return the header, without `>`, of a gene's `number`-th transcript in Ensembl's grammar.

    The location, 1-based inclusive, is the span of the transcript, also where the record is its CDS
    only; symbol and description are left out where a gene has none; the description runs to the end
    of the line.
    """
    locus, transcript = gene.locus, gene.locus.transcripts[number]
    start, end = transcript_span(gene, transcript)
    fields = [
        f"{gene.transcript_ids[number]} {kind}",
        f"{kind_of(gene.place.contig)}:{assembly}:{gene.place.contig}:{start + 1}:{end}:{gene.place.strand}",
        f"gene:{gene.id} gene_biotype:{locus.biotype} transcript_biotype:{transcript.biotype}",
    ]
    if locus.symbol:
        fields.append(f"gene_symbol:{locus.symbol}")
    if locus.description:
        fields.append(f"description:{locus.description}")
    return " ".join(fields)


def _summary(genes: Sequence[Gene]) -> dict:
    records = [
        (gene, transcript, transcript_sequence(gene.locus, transcript))
        for gene, transcript in _each(genes)
    ]
    distinct = len({sequence for _, _, sequence in records})
    traps: Counter[str] = Counter()
    for gene, transcript, sequence in records:
        biotype = gene.locus.biotype
        traps.update(
            name
            for name, holds in {
                "n_padded": transcript.padding > 0,
                "gap": "N" in sequence[transcript.padding :],
                "start_not_found": biotype == "protein_coding" and sequence[:3] != "ATG",
                "end_not_found": biotype == "protein_coding"
                and first_stop(sequence) != len(sequence) - 3,
                "nonsense_mediated_decay": transcript.biotype == "nonsense_mediated_decay",
                "receptor_segment": biotype.startswith(("TR_", "IG_")),
                "other_lncrna_transcript_biotype": biotype == "lncRNA"
                and transcript.biotype != "lncRNA",
                "small_rna": biotype in SMALL_RNA_LENGTHS,
                "small_rna_100_nt_or_more": biotype in SMALL_RNA_LENGTHS and len(sequence) >= 100,
                "under_100_nt": len(sequence) < 100,
                "haplotype": gene.place.contig == HAPLOTYPE,
                "scaffold": gene.place.contig in SCAFFOLDS,
                "no_symbol": gene.locus.symbol is None,
            }.items()
            if holds
        )
    traps["repeated_sequence"] = len(records) - distinct
    return {
        "records": _counts(
            f"{gene.locus.biotype}/{transcript.biotype}" for gene, transcript, _ in records
        ),
        "longest": max(len(sequence) for _, _, sequence in records),
        "bases": sum(len(sequence) for _, _, sequence in records),
        "traps": dict(sorted(traps.items())),
    }


def _each(genes: Sequence[Gene]) -> Iterator[tuple[Gene, Transcript]]:
    for gene in genes:
        for transcript in gene.locus.transcripts:
            yield gene, transcript


def _counts(values: Iterator[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
