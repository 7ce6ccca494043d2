"""Files of the toys as servers have them: compressed the same every time, with Ensembl's checksums."""

import gzip
from collections.abc import Sequence
from pathlib import Path

from nucleotune.files import atomic_path

#: Letters a line of a FASTA file.
LINE_WIDTH = 60


def write_gzip(path: Path, text: str, level: int = 9) -> None:
    """Write ASCII text compressed, with no file name and no time in the header: same text, same bytes."""
    with (
        atomic_path(path) as temporary,
        temporary.open("wb") as raw,
        gzip.GzipFile("", "wb", level, fileobj=raw, mtime=0) as handle,
    ):
        handle.write(text.encode("ascii"))


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
    lines = []
    for file in files:
        checksum, blocks = bsd_sum(file.read_bytes())
        lines.append(f"{checksum:05d} {blocks:5d} {file.name}\n")
    with atomic_path(path) as temporary:
        temporary.write_text("".join(lines))
