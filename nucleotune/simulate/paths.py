"""Where the toy species' files stand in a mirror laid out as `wget -x` leaves it.

Standard library only: the Snakefile calls this each time it is parsed.
"""

ENSEMBL_HOST = "ftp.ensembl.org"


def toy_paths(species: str, assembly: str, release: int) -> dict[str, str]:
    """Return the path of every file written for a toy species, relative to the mirror, by name.

    Keys: cds, cds_checksums, ncrna, ncrna_checksums.
    """
    fasta = f"{ENSEMBL_HOST}/pub/release-{release}/fasta/{species}"
    stem = f"{species[:1].upper()}{species[1:]}.{assembly}"
    return {
        "cds": f"{fasta}/cds/{stem}.cds.all.fa.gz",
        "cds_checksums": f"{fasta}/cds/CHECKSUMS",
        "ncrna": f"{fasta}/ncrna/{stem}.ncrna.fa.gz",
        "ncrna_checksums": f"{fasta}/ncrna/CHECKSUMS",
    }
