"""Where the toy species' files stand in a mirror laid out as `wget -x` leaves it.

Standard library only: the Snakefile calls this each time it is parsed.
"""

from collections.abc import Mapping
from typing import Any

ENSEMBL_HOST = "ftp.ensembl.org"

#: Directory beside the hosts of a mirror: what was planted, for tests alone.
TRUTH = "truth"

GUE_PARTS = ("train", "dev", "test")

NCBI_HOST = "ftp.ncbi.nlm.nih.gov"


def toy_paths(species: str, assembly: str, release: int) -> dict[str, str]:
    """Return the path of every file written for a toy species' transcripts, relative to the mirror, by name.

    Keys: cds, cds_checksums, ncrna, ncrna_checksums.
    """
    fasta = f"{ENSEMBL_HOST}/pub/release-{release}/fasta/{species}"
    stem = _stem(species, assembly)
    return {
        "cds": f"{fasta}/cds/{stem}.cds.all.fa.gz",
        "cds_checksums": f"{fasta}/cds/CHECKSUMS",
        "ncrna": f"{fasta}/ncrna/{stem}.ncrna.fa.gz",
        "ncrna_checksums": f"{fasta}/ncrna/CHECKSUMS",
    }


def promoter_fields(species: str, assembly: str) -> dict[str, str]:
    """Return what a toy species has for the fields of the promoter study's rows in `resources/sources.tsv`.

    Its files get addresses of their own this way, and never lie where those of a real species do.
    """
    genus, _, name = species.partition("_")
    return {
        "dna": "primary_assembly",
        "epd_folder": f"{genus[:1].upper()}_{name}/001",
        "epd_name": f"{genus[:1].upper()}{name[:1]}_EPDnew_001_{assembly}",
        "gtex_release": species,
        "gtex_name": f"GTEx_Analysis_{species}",
        "gue_repository": f"{species}/GUE",
        "gue_commit": "main",
    }


def promoter_paths(species: str, assembly: str, release: int) -> dict[str, str]:
    """Return the path of every file written for a toy species' promoters, relative to the mirror, by name.

    Keys: dna, dna_checksums, gtf, gtf_checksums, gtex, epd, epd_motifs, gue_train, gue_dev, gue_test; those of `TRUTH`
    are truth_elements and truth_promoters.
    """
    fields = promoter_fields(species, assembly)
    ensembl = f"{ENSEMBL_HOST}/pub/release-{release}"
    stem = _stem(species, assembly)
    epd = f"epd.expasy.org/ftp/epdnew/{fields['epd_folder']}"
    gtex = f"storage.googleapis.com/adult-gtex/bulk-gex/{fields['gtex_release']}/rna-seq"
    gue = f"huggingface.co/datasets/{fields['gue_repository']}/resolve/{fields['gue_commit']}"
    return {
        "dna": f"{ensembl}/fasta/{species}/dna/{stem}.dna.{fields['dna']}.fa.gz",
        "dna_checksums": f"{ensembl}/fasta/{species}/dna/CHECKSUMS",
        "gtf": f"{ensembl}/gtf/{species}/{stem}.{release}.gtf.gz",
        "gtf_checksums": f"{ensembl}/gtf/{species}/CHECKSUMS",
        "gtex": f"{gtex}/{fields['gtex_name']}_gene_median_tpm.gct.gz",
        "epd": f"{epd}/{fields['epd_name']}.bed",
        "epd_motifs": f"{epd}/db/promoter_motifs.txt",
        **{f"gue_{part}": f"{gue}/prom_300_notata/{part}.csv" for part in GUE_PARTS},
        "truth_elements": f"{TRUTH}/elements.tsv",
        "truth_promoters": f"{TRUTH}/promoters.tsv",
    }


def polya_fields(species: str, assembly: str) -> dict[str, str]:
    """Return what a toy yeast has where addresses of the poly(A) study's files differ between data sets.

    Its files get addresses of their own this way, and never lie where those of yeast do.
    """
    return {
        "dna": "toplevel",
        "geo_folder": f"GSE39nnn/{species}",
        "geo_name": f"{species}_tsedall",
        "assembly_folder": f"GCA/{species}",
        "assembly_name": f"{species}_{assembly}",
    }


def polya_paths(species: str, assembly: str, release: int) -> dict[str, str]:
    """Return the path of every file written for a toy yeast, relative to the mirror, by name.

    Keys: dna, dna_checksums, gtf, gtf_checksums of Ensembl; gff3 of NCBI; tifseq, the table of GEO, and tifs_s1, that
    of the paper's supplement; those of `TRUTH` are truth_polya_elements and truth_polya_sites. A species has these or
    those of `promoter_paths`: their genomes differ, and dna and gtf have the same directories.
    """
    fields = polya_fields(species, assembly)
    ensembl = f"{ENSEMBL_HOST}/pub/release-{release}"
    stem = _stem(species, assembly)
    name = fields["assembly_name"]
    genomes = f"{NCBI_HOST}/genomes/all/{fields['assembly_folder']}"
    geo = f"{NCBI_HOST}/geo/series/{fields['geo_folder']}/suppl"
    return {
        "dna": f"{ensembl}/fasta/{species}/dna/{stem}.dna.{fields['dna']}.fa.gz",
        "dna_checksums": f"{ensembl}/fasta/{species}/dna/CHECKSUMS",
        "gtf": f"{ensembl}/gtf/{species}/{stem}.{release}.gtf.gz",
        "gtf_checksums": f"{ensembl}/gtf/{species}/CHECKSUMS",
        "gff3": f"{genomes}/{name}/{name}_genomic.gff.gz",
        "tifseq": f"{geo}/{fields['geo_name']}.txt.gz",
        "tifs_s1": f"steinmetzlab.embl.de/TIFSeq/data/{species}/S1_TIFs.txt.gz",
        "truth_polya_elements": f"{TRUTH}/polya_elements.tsv",
        "truth_polya_sites": f"{TRUTH}/polya_sites.tsv",
    }


def simulated_paths(species: Mapping[str, Any]) -> list[str]:
    """Return all paths that the `simulate` block of a species file stands for; none where it is null."""
    if not species["simulate"]:
        return []
    names = {key: species["ensembl"][key] for key in ("species", "assembly", "release")}
    paths = toy_paths(**names)
    if species["simulate"]["promoters"]:
        paths |= promoter_paths(**names)
    return list(paths.values())


def _stem(species: str, assembly: str) -> str:
    return f"{species[:1].upper()}{species[1:]}.{assembly}"
