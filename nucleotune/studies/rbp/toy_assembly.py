"""An older assembly of a toy genome, and the chains from it: what lies where, and which bases have changed since.

The older chromosome is the newer one with some bases changed, short stretches added or missing at `Cut`s, and one
stretch the other way round. Coordinates are 0-based half-open.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nucleotune.sequence.alphabet import BASES, reverse_complement


@dataclass(frozen=True)
class Cut:
    """A difference at base `at` of the newer assembly: bases that only the older has, and that it lacks."""

    at: int
    extra: int
    missing: int


@dataclass(frozen=True)
class Block:
    """`size` bases alike in both; strand -1: the older has them the other way round."""

    older: int
    newer: int
    size: int
    strand: int


@dataclass(frozen=True)
class OlderChromosome:
    """A chromosome of the older assembly and what it shares with the newer, in the order of the older."""

    name: str
    sequence: str
    newer_length: int
    blocks: tuple[Block, ...]

    def position(self, newer: int) -> tuple[int, int]:
        """Return where a base of the newer assembly lies in the older, and its strand there."""
        for block in self.blocks:
            offset = newer - block.newer
            if 0 <= offset < block.size:
                if block.strand == -1:
                    offset = block.size - 1 - offset
                return block.older + offset, block.strand
        raise ValueError(f"base {newer} of {self.name} lies in no block")

    def chains(self, number: int) -> str:
        """Return the chains to the newer assembly in UCSC's format, numbered from `number`: strand +, then -."""
        chains = []
        for strand in (1, -1):
            blocks = [block for block in self.blocks if block.strand == strand]
            if blocks:
                chains.append(self._chain(blocks, number + len(chains)))
        return "".join(chains)

    def _chain(self, blocks: Sequence[Block], number: int) -> str:
        # Coordinates on strand - are counted from the chromosome's end.
        newer = [b.newer if b.strand == 1 else self.newer_length - b.newer - b.size for b in blocks]
        last = blocks[-1]
        fields = [
            *("chain", sum(block.size for block in blocks)),
            *(self.name, len(self.sequence), "+", blocks[0].older, last.older + last.size),
            *(self.name, self.newer_length, "+" if last.strand == 1 else "-"),
            *(newer[0], newer[-1] + last.size, number),
        ]
        lines = [" ".join(map(str, fields))]
        for i, block in enumerate(blocks[:-1]):
            after = blocks[i + 1].older - block.older - block.size
            lines.append(f"{block.size}\t{after}\t{newer[i + 1] - newer[i] - block.size}")
        return "\n".join([*lines, str(last.size), "", ""])


def make_older(
    name: str,
    sequence: str,
    *,
    telomere: int,
    older_telomere: int,
    changes: dict[int, str],
    cuts: Sequence[Cut],
    inverted: tuple[int, int] | None,
    rng: np.random.Generator,
) -> OlderChromosome:
    """Make the older form of a chromosome.

    telomere, older_telomere: N at either end, in no block. changes: other bases, by position in `sequence`. cuts: in
    ascending order. inverted: the stretch that lies the other way round; no cut may reach over its ends.
    """
    changed = list(sequence)
    for position, base in changes.items():
        changed[position] = base
    ends = telomere, len(sequence) - telomere
    edges = [ends[0], *(inverted or ()), ends[1]]
    pieces, blocks, length = ["N" * older_telomere], [], older_telomere
    for start, end, strand in zip(edges, edges[1:], (1, -1, 1), strict=False):
        within = [cut for cut in cuts if start < cut.at < end]
        piece, found = _walk(changed, start, end, within, rng)
        if strand == -1:
            piece = reverse_complement(piece)
            found = [(len(piece) - older - size, newer, size) for older, newer, size in found[::-1]]
        blocks += [Block(length + older, newer, size, strand) for older, newer, size in found]
        pieces.append(piece)
        length += len(piece)
    older = "".join([*pieces, "N" * older_telomere])
    return OlderChromosome(name, older, len(sequence), tuple(blocks))


def _walk(
    bases: Sequence[str], start: int, end: int, cuts: Sequence[Cut], rng: np.random.Generator
) -> tuple[str, list[tuple[int, int, int]]]:
    """Return the older form of a stretch and its blocks: start in it, start in the newer assembly, size."""
    pieces: list[str] = []
    blocks, length, position = [], 0, start
    for cut in [*cuts, Cut(end, 0, 0)]:
        size = cut.at - position
        if size:
            blocks.append((length, position, size))
        pieces += [*bases[position : cut.at], *(BASES[i] for i in rng.integers(4, size=cut.extra))]
        length += size + cut.extra
        position = cut.at + cut.missing
    return "".join(pieces), blocks
