"""Where the toy species' files stand in a mirror laid out as `wget -x` leaves it.

Standard library only: the Snakefile calls this each time it is parsed.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

ENSEMBL_HOST = "ftp.ensembl.org"
NCBI_HOST = "ftp.ncbi.nlm.nih.gov"
GENCODE_HOST = "ftp.ebi.ac.uk"
UCSC_HOST = "hgdownload.soe.ucsc.edu"
RBPSUITE_HOST = "www.csbio.sjtu.edu.cn"
ENCODE_HOST = "www.encodeproject.org"

#: Directory beside the hosts of a mirror: what was planted, for tests alone.
TRUTH = "truth"

GUE_PARTS = ("train", "dev", "test")

#: What the toy RBPs bind: a motif, a motif in a hairpin's loop, 3'UTRs.
RBPS = ("TOYM", "TOYH", "TOYU")
CELL_LINES = ("K562", "HepG2")


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
    epd = f"epd.expasy.org/ftp/epdnew/{fields['epd_folder']}"
    gtex = f"storage.googleapis.com/adult-gtex/bulk-gex/{fields['gtex_release']}/rna-seq"
    gue = f"huggingface.co/datasets/{fields['gue_repository']}/resolve/{fields['gue_commit']}"
    return {
        **_genome(species, assembly, release, fields["dna"]),
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
    name = fields["assembly_name"]
    genomes = f"{NCBI_HOST}/genomes/all/{fields['assembly_folder']}"
    geo = f"{NCBI_HOST}/geo/series/{fields['geo_folder']}/suppl"
    return {
        **_genome(species, assembly, release, fields["dna"]),
        "gff3": f"{genomes}/{name}/{name}_genomic.gff.gz",
        "tifseq": f"{geo}/{fields['geo_name']}.txt.gz",
        "tifs_s1": f"steinmetzlab.embl.de/TIFSeq/data/{species}/S1_TIFs.txt.gz",
        "truth_polya_elements": f"{TRUTH}/polya_elements.tsv",
        "truth_polya_sites": f"{TRUTH}/polya_sites.tsv",
    }


def rbp_fields(name: str) -> dict[str, str]:
    """Return what the toy genome `name` of the RBP study has for the fields of its rows in `resources/sources.tsv`.

    Of the assemblies the annotation's comes first; `older` and `newer` are UCSC's names of both.
    """
    return {
        "gencode_species": name,
        "gencode_release": "37",
        "assembly": f"{name.upper()}2",
        "older": f"{name}1",
        "newer": f"{name}2",
    }


def rbp_paths(name: str) -> dict[str, str]:
    """Return the path of every file written for the RBP study's toy genome, relative to the mirror, by key.

    Keys: gtf, dna, md5sums, chain, rbpsuite, manifest, and peaks_<RBP>_<cell line> of RBPS and CELL_LINES; those of
    `TRUTH` are truth_sites, truth_records and truth_transcripts.
    """
    fields = rbp_fields(name)
    release = fields["gencode_release"]
    gencode = f"{GENCODE_HOST}/pub/databases/gencode/Gencode_{name}/release_{release}"
    older, newer = fields["older"], fields["newer"]
    chain = f"{older}To{newer[:1].upper()}{newer[1:]}.over.chain.gz"
    peaks = {}
    for rbp in RBPS:
        for cell_line in CELL_LINES:
            accession = encode_accession("FF", name, rbp, cell_line)
            file = f"{ENCODE_HOST}/files/{accession}/@@download/{accession}.bed.gz"
            peaks[f"peaks_{rbp}_{cell_line}"] = file
    return {
        "gtf": f"{gencode}/gencode.v{release}.annotation.gtf.gz",
        "dna": f"{gencode}/{fields['assembly']}.primary_assembly.genome.fa.gz",
        "md5sums": f"{gencode}/MD5SUMS",
        "chain": f"{UCSC_HOST}/goldenPath/{older}/liftOver/{chain}",
        "rbpsuite": f"{RBPSUITE_HOST}/bioinf/RBPsuite/{name}/sequences.txt",
        "manifest": f"{ENCODE_HOST}/metadata/{name}/metadata.tsv",
        **peaks,
        "truth_sites": f"{TRUTH}/rbp_sites.tsv",
        "truth_records": f"{TRUTH}/rbp_records.tsv",
        "truth_transcripts": f"{TRUTH}/rbp_transcripts.tsv",
    }


def encode_accession(kind: str, *of: str) -> str:
    """Return an accession of ENCODE's form, always the same of the same words; kind: FF a file, SR an experiment."""
    digest = hashlib.sha256("\t".join([kind, *of]).encode()).digest()
    digits = int.from_bytes(digest[:4]) % 1000
    return f"ENC{kind}{digits:03d}{''.join(chr(65 + byte % 26) for byte in digest[4:7])}"


def simulated_paths(species: Mapping[str, Any]) -> list[str]:
    """Return all paths that the `simulate` block of a species file stands for; none where it is null."""
    if not species["simulate"]:
        return []
    names = {key: species["ensembl"][key] for key in ("species", "assembly", "release")}
    paths = {}
    for part, paths_of in SIMULATED.items():
        if species["simulate"][part]:
            paths |= paths_of(**names)
    return list(paths.values())


def simulated_collection_paths(collection: Mapping[str, Any]) -> list[str]:
    """Return all paths that the `simulate` block of a collection file stands for; none where it is null."""
    if not collection["simulate"]:
        return []
    return list(rbp_paths(collection["simulate"]["name"]).values())


def _genome(species: str, assembly: str, release: int, dna: str) -> dict[str, str]:
    """Genome and annotation of Ensembl, each with its checksums."""
    ensembl = f"{ENSEMBL_HOST}/pub/release-{release}"
    stem = _stem(species, assembly)
    return {
        "dna": f"{ensembl}/fasta/{species}/dna/{stem}.dna.{dna}.fa.gz",
        "dna_checksums": f"{ensembl}/fasta/{species}/dna/CHECKSUMS",
        "gtf": f"{ensembl}/gtf/{species}/{stem}.{release}.gtf.gz",
        "gtf_checksums": f"{ensembl}/gtf/{species}/CHECKSUMS",
    }


def _stem(species: str, assembly: str) -> str:
    return f"{species[:1].upper()}{species[1:]}.{assembly}"


#: Part of a species' `simulate` block -> the paths of what it writes.
SIMULATED = {"transcripts": toy_paths, "promoters": promoter_paths, "polya": polya_paths}
