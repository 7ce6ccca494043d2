"""A genome as a file that any part of is one seek away from.

pyfaidx wants lines of one length and nothing between them; what users have is unpacked into that form once.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyfaidx

from nucleotune.errors import InputError
from nucleotune.files import atomic_path
from nucleotune.text import open_text

_BLOCK = 1 << 24  # bytes
_BLANKS = (b" \n", b"\t\n", b"\n ", b"\n\t", b"\n\n")
_AT_LINE_ENDS = re.compile(rb"[ \t]*\n[ \t\n]*")


def unpack_genome(source: str | Path, target: str | Path) -> None:
    """Copy a FASTA file, plain or gzip, to `target`, with its index beside it.

    Blanks at line ends, empty lines and returns are left out. Raises InputError naming `source` for what is no FASTA;
    then `target` is not written.
    """
    # The index is written last: one that is older than its file is out of date.
    with atomic_path(f"{target}.fai") as index, atomic_path(target) as path:
        with path.open("wb") as plain:
            _copy_lines(source, plain)
        with (
            _readable(source),
            pyfaidx.Faidx(str(path), indexname=str(index)) as faidx,
            path.open("rb") as plain,
        ):
            _check_ends(source, plain, faidx.index)


def _copy_lines(source: str | Path, plain: BinaryIO) -> None:
    with open_text(source) as stream:
        first = stream.readline()
        while first and not first.strip():
            first = stream.readline()
        if not first.startswith(b">"):
            found = repr(first[:80].decode(errors="replace")) if first else "nothing"
            raise InputError(
                f"{source}: expected a FASTA file, which begins with '>'; found {found}"
            )
        plain.write(first.rstrip())
        rest = b"\n"
        while block := stream.read(_BLOCK):
            block = rest + block
            # What a line ends with may go on in the next block; \x1a is an end-of-file mark of old DOS editors.
            kept = block.rstrip(b" \t\n\x1a")
            rest = block[len(kept) :]
            if any(blank in kept for blank in _BLANKS):
                kept = _AT_LINE_ENDS.sub(b"\n", kept)
            plain.write(kept)
    plain.write(b"\n")


def _check_ends(source: str | Path, plain: BinaryIO, index: Mapping[str, Any]) -> None:
    """Raise InputError unless every record ends where its index says.

    pyfaidx lets the last line be longer than the others, and then seeks wrong bases.
    """
    size = plain.seek(0, os.SEEK_END)
    for name, record in index.items():
        whole_lines, rest = divmod(record.rlen, record.lenc) if record.lenc else (0, 0)
        end = record.offset + whole_lines * record.lenb + (rest + 1 if rest else 0)
        plain.seek(end)
        if end != size and plain.read(1) != b">":
            raise InputError(
                f"{source}: record {name!r}: its last line is longer than its first; give all lines of a record"
                " except the last the same length"
            )


def open_genome(path: str | Path) -> pyfaidx.Fasta:
    """Open a FASTA file, plain or bgzip, for random access; contigs are named by the first words of the headers.

    The index `<path>.fai` (and `.gzi`) is made where it is missing or older. Raises InputError for a missing file, gzip
    that is not bgzip, text that is no FASTA, and a folder in which no index can be written.
    """
    indexes = [Path(f"{path}.fai")]
    if str(path).lower().endswith((".gz", ".bgz")):
        indexes.append(Path(f"{path}.gzi"))
    with _readable(path):
        changed = Path(path).stat().st_mtime
        if not all(index.exists() and index.stat().st_mtime >= changed for index in indexes):
            _make_index(path, indexes)
        return pyfaidx.Fasta(str(path), as_raw=True, sequence_always_upper=True, rebuild=False)


@contextmanager
def _readable(path: str | Path) -> Iterator[None]:
    """Turn what pyfaidx raises into an InputError that names `path`."""
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except pyfaidx.UnsupportedCompressionFormat as error:
        raise InputError(
            f"{path}: gzip without bgzip's index blocks; unpack it (gunzip) or pack it with bgzip"
        ) from error
    except OSError as error:
        raise InputError(
            f"{path}: cannot be indexed ({error}); copy it to a writable folder"
        ) from error
    except (pyfaidx.FastaIndexingError, ValueError, RuntimeError) as error:
        raise InputError(f"{path}: not usable as FASTA: {error}") from error


def _make_index(path: str | Path, indexes: list[Path]) -> None:
    with open(path, "rb") as file:
        beginning = file.read(1 << 16)
    plain = len(indexes) == 1  # a packed file holds any byte anywhere
    if plain and b"\r" in beginning and b"\n" not in beginning:
        raise InputError(
            f"{path}: lines end in CR only, which does not allow random access; save it with LF line ends"
        )
    with ExitStack() as stack:
        written = [str(stack.enter_context(atomic_path(index))) for index in indexes]
        names = dict(zip(("indexname", "gzi_indexname"), written, strict=False))
        pyfaidx.Faidx(str(path), **names).close()
