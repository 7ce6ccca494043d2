"""Places of one assembly on another, by UCSC's chain files (https://genome.ucsc.edu/goldenPath/help/chain.html).

A chain aligns a stretch of a contig of the source (the format's "target", e.g. hg19) with one of the assembly to go to
(its "query", e.g. hg38), as blocks without gaps in the same order on both:

    chain score tName tSize tStrand tStart tEnd qName qSize qStrand qStart qEnd id
    size dt dq     a block, then how far it is to the next on source and query
    ...
    size           the last block

Positions are 0-based half-open. Where qStrand is -, those of the query count from the end of its contig.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from nucleotune.delimited import finite_number, whole_number
from nucleotune.errors import InputError
from nucleotune.text import read_lines

#: What may become of a place; see `lift`.
LIFTED, PARTLY_ALIGNED, UNALIGNED = "lifted", "partly_aligned", "unaligned"

_FLIPPED = {"+": "-", "-": "+"}


class Chain(NamedTuple):
    """One chain and its n blocks, in order and apart from each other.

    score                    float
    seqname                  contig of the source
    to_seqname, to_size      contig of the query and its length
    to_strand                "+" or "-"
    starts, ends             int64 (n,), of the blocks on the source
    to_starts                int64 (n,), of the blocks on the query, counted along `to_strand`
    """

    score: float
    seqname: str
    to_seqname: str
    to_size: int
    to_strand: str
    starts: np.ndarray
    ends: np.ndarray
    to_starts: np.ndarray


def read_chain(path: str | Path) -> list[Chain]:
    """Return the chains of a file, plain or gzip, that of the highest score first (of equal ones, in file order).

    Raises InputError naming the line where the format or the arithmetic of a chain does not hold, and for a damaged
    file and one without chains.
    """
    chains, header, blocks, begun, number = [], None, [], 0, 0
    for number, line in read_lines(path):
        fields = line.split()
        if not fields or line.startswith("#"):
            continue
        try:
            if header is None:
                header, blocks, begun = _header(fields), [], number
                continue
            blocks.append(_block(fields))
            if len(fields) == 1:
                chains.append(_chain(header, blocks))
                header = None
        except ValueError as error:
            raise InputError(
                f"{path}: line {number}: {error}; expected UCSC's chain format, such as hg19ToHg38.over.chain.gz"
            ) from error
    if header is not None:
        raise InputError(
            f"{path}: the chain of line {begun} has no last block; was the file cut off? Fetch it again"
        )
    if not chains:
        raise InputError(f"{path}: no chains; expected a file such as hg19ToHg38.over.chain.gz")
    return sorted(chains, key=lambda chain: -chain.score)


def lift(chains: Sequence[Chain], places: pd.DataFrame) -> pd.DataFrame:
    """Return where each place is on the other assembly, on the index of `places`.

    A place is carried over if all of it is in one block of one chain, so that it keeps its length and no base is
    missing or new: what UCSC's liftOver calls minMatch=1, and no insertion besides. Of several such chains the one of
    the highest score counts. On the - strand of the query, the place's strand turns round.

    Args:
        chains: of `read_chain`, highest score first.
        places: `seqname`, `start`, `end` (0-based half-open), `strand`.

    Returns columns `seqname`, `start`, `end`, `strand` ("", -1, -1 and "" where there is none) and `status`: "lifted";
    "partly_aligned" where blocks hold some of its bases only, or bases of it are apart on the query; "unaligned" where
    no chain has a base of it.
    """
    start, end = (places[name].to_numpy(np.int64) for name in ("start", "end"))
    found = {
        "seqname": np.full(len(places), "", object),
        "start": np.full(len(places), -1),
        "end": np.full(len(places), -1),
        "strand": np.full(len(places), "", object),
        "status": np.full(len(places), UNALIGNED, object),
    }
    strands = places["strand"].astype(str).to_numpy()
    by_contig = {}
    for seqname, rows in places.groupby("seqname", observed=True).indices.items():
        rows = rows[np.argsort(start[rows], kind="stable")]
        by_contig[seqname] = rows, start[rows], int((end[rows] - start[rows]).max())
    for chain in chains:
        if chain.seqname not in by_contig:
            continue
        rows, starts, longest = by_contig[chain.seqname]
        near = np.searchsorted(starts, (chain.starts[0] - longest, chain.ends[-1]))
        rows = rows[slice(*near)]
        rows = rows[found["status"][rows] != LIFTED]
        block = np.searchsorted(chain.ends, start[rows], side="right")
        rows, block = rows[block < len(chain.ends)], block[block < len(chain.ends)]
        overlapping = chain.starts[block] < end[rows]
        found["status"][rows[overlapping]] = PARTLY_ALIGNED
        inside = (chain.starts[block] <= start[rows]) & (end[rows] <= chain.ends[block])
        rows, block = rows[inside], block[inside]
        lifted = chain.to_starts[block] + start[rows] - chain.starts[block]
        length = end[rows] - start[rows]
        strand = strands[rows]
        if chain.to_strand == "-":
            lifted = chain.to_size - lifted - length
            strand = [_FLIPPED.get(one, one) for one in strand]
        found["seqname"][rows] = chain.to_seqname
        found["start"][rows], found["end"][rows] = lifted, lifted + length
        found["strand"][rows] = strand
        found["status"][rows] = LIFTED
    return pd.DataFrame(found, index=places.index).astype(
        {"seqname": "str", "strand": "str", "status": "str"}
    )


class _Header(NamedTuple):
    score: float
    seqname: str
    start: int
    end: int
    to_seqname: str
    to_size: int
    to_strand: str
    to_start: int
    to_end: int


def _header(fields: list[str]) -> _Header:
    if fields[0] != "chain" or len(fields) not in (12, 13):
        raise ValueError(
            f"found {' '.join(fields)[:80]!r} where a chain line of 12 or 13 fields should begin"
        )
    _, score, name, size, strand, start, end, to_name, to_size, to_strand, to_start, to_end = (
        fields[:12]
    )
    if strand != "+" or to_strand not in ("+", "-"):
        raise ValueError(f"strands {strand} and {to_strand}")
    number = finite_number(score)
    if number is None:
        raise ValueError(f"score {score!r}")
    size, start, end, to_size, to_start, to_end = _whole(
        size, start, end, to_size, to_start, to_end
    )
    if not (0 <= start < end <= size and 0 <= to_start < to_end <= to_size):
        raise ValueError("the chain begins or ends outside a contig")
    return _Header(
        number, name, start, end, to_name, to_size, to_strand, to_start, to_end
    )  # fmt: skip


def _whole(*texts: str) -> list[int]:
    numbers = list(map(whole_number, texts))
    if None in numbers:
        raise ValueError(f"{texts[numbers.index(None)]!r} is not a whole number, or too large")
    return numbers


def _block(fields: list[str]) -> tuple[int, int, int]:
    """Size of a block, and of the gaps after it."""
    numbers = _whole(*fields)
    if len(numbers) not in (1, 3) or numbers[0] < 1 or min(numbers) < 0:
        raise ValueError(f"found {' '.join(fields)[:80]!r} where a block should be: size dt dq")
    return (*numbers, 0, 0)[:3]


def _chain(header: _Header, blocks: list[tuple[int, int, int]]) -> Chain:
    if sum(map(sum, blocks)) > header.end + header.to_end:  # before integers overflow
        raise ValueError("the chain's blocks and gaps reach beyond its end")
    size, gap, to_gap = np.array(blocks, np.int64).T
    starts = header.start + np.cumsum(size + gap) - size - gap
    to_starts = header.to_start + np.cumsum(size + to_gap) - size - to_gap
    ends = starts + size
    if (ends[-1], to_starts[-1] + size[-1]) != (header.end, header.to_end):
        raise ValueError("the sizes of the chain's blocks and gaps do not add up to its ends")
    # Blocks with nothing between them are one.
    last = np.append((gap[:-1] > 0) | (to_gap[:-1] > 0), True)
    first = np.append(True, last[:-1])
    return Chain(
        *(header.score, header.seqname, header.to_seqname, header.to_size, header.to_strand),
        *(starts[first], ends[last], to_starts[first]),
    )
