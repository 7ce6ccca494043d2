"""Files of the toys as servers have them: compressed the same every time, with Ensembl's checksums."""

import gzip
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from nucleotune.files import atomic_path
from nucleotune.simulate.genome import SCAFFOLDS

#: Letters a line of a FASTA file.
LINE_WIDTH = 60

#: Level of compression for genomes and annotations: sequence gains little from more, which takes seconds.
QUICK = 1


def write_lines(path: Path, lines: Iterable[str], level: int = 9, end: str = "\n") -> None:
    """Write ASCII lines; compressed where the name ends in .gz, without file name and time in the header."""
    data = "".join(f"{line}{end}" for line in lines).encode("ascii")
    with atomic_path(path) as temporary, temporary.open("wb") as raw:
        if path.suffix != ".gz":
            raw.write(data)
            return
        with gzip.GzipFile("", "wb", level, fileobj=raw, mtime=0) as handle:
            handle.write(data)


def write_fasta(path: Path, records: Iterable[tuple[str, str]], level: int = 9) -> None:
    """Write records, each a header without `>` and a sequence."""
    lines = []
    for header, sequence in records:
        lines.append(f">{header}")
        lines.extend(sequence[i : i + LINE_WIDTH] for i in range(0, len(sequence), LINE_WIDTH))
    write_lines(path, lines, level)


def bsd_sum(data: bytes) -> tuple[int, int]:
    """Return the BSD checksum and the number of 1024-byte blocks.

    16 bits, rotated right before each byte is added, as `sum` of GNU coreutils prints them, which
    is what Ensembl's CHECKSUMS files hold.
    """
    checksum = 0
    for byte in data:
        checksum = ((checksum >> 1) + ((checksum & 1) << 15) + byte) & 0xFFFF
    return checksum, -(-len(data) // 1024)


def write_checksums(path: Path, files: Sequence[Path]) -> None:
    """Write Ensembl's CHECKSUMS of files in one directory."""
    sums = [(*bsd_sum(file.read_bytes()), file.name) for file in files]
    write_lines(path, [f"{checksum:05d} {blocks:5d} {name}" for checksum, blocks, name in sums])


def kind_of(contig: str) -> str:
    """What Ensembl calls a contig."""
    return "scaffold" if contig in SCAFFOLDS else "chromosome"


def write_ensembl(
    paths: Mapping[str, Path], sequences: Mapping[str, str], rows: Iterable[str], assembly: str
) -> None:
    """Write a genome and its annotation as Ensembl has them, and their checksums.

    paths: `dna`, `gtf`, `dna_checksums`, `gtf_checksums`; sequences: by name of contig; rows: of the GTF.
    """
    genome = []
    for name, sequence in sequences.items():
        kind = kind_of(name)
        place = f"{kind}:{assembly}:{name}:1:{len(sequence)}:1"
        genome.append((f"{name} dna:{kind} {place} REF", sequence))
    write_fasta(paths["dna"], genome, QUICK)
    head = [f"#!genome-build {assembly}", f"#!genome-version {assembly}"]
    write_lines(paths["gtf"], [*head, *rows], QUICK)
    for name in ("dna", "gtf"):
        write_checksums(paths[f"{name}_checksums"], [paths[name]])
