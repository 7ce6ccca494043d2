"""Speed of the compiled ORF search against orfipy and against a search with Biopython's translation.

    pip install orfipy
    python benchmarks/orfs.py [--transcripts 20000]

All read the same simulated transcripts in this one process, on one thread, and must find the same longest ORF (forward
strand, ATG to stop or to the last complete codon). Each is timed over several runs, of which the fastest counts;
compiling (once a machine: it is cached) is timed apart. orfipy lists every ORF; choosing the longest is timed with it.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import orfipy_core
from Bio.Seq import translate
from timing import fastest, simulate_transcripts

from nucleotune.sequence.orf import find_orfs

TARGET = 10


def longest(orfs: list[tuple[int, int]]) -> tuple[int, int]:
    """The longest of some (start, end), of equals the first start; (0, 0) of none."""
    return min(orfs, key=lambda orf: (orf[0] - orf[1], orf[0]), default=(0, 0))


def orfipy_search(sequences: list[str]) -> list[tuple[int, int]]:
    """The longest of what orfipy lists."""
    rule = {"strand": "f", "starts": ["ATG"], "include_stop": True, "partial3": True}
    found = (orfipy_core.orfs(s, maxlen=len(s), **rule) for s in sequences)
    return [longest([(orf[0], orf[1]) for orf in orfs]) for orfs in found]


def biopython_search(sequences: list[str]) -> list[tuple[int, int]]:
    """The longest stretch from M to stop of the three translated frames."""
    result = []
    for sequence in sequences:
        orfs = []
        for frame in range(3):
            codon = 0
            whole = len(sequence) - (len(sequence) - frame) % 3
            for peptide in translate(sequence[frame:whole]).split("*"):
                after, met = codon + len(peptide) + 1, peptide.find("M")
                if met >= 0:
                    orfs.append((frame + 3 * (codon + met), min(frame + 3 * after, whole)))
                codon = after
        result.append(longest(orfs))
    return result


def main() -> int:
    """Time the three; 0 if they agree and the ratio to orfipy reaches the target."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--transcripts", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sequences = simulate_transcripts(options.transcripts, options.seed)
    begin = time.perf_counter()
    find_orfs(sequences[:1])
    compiling = time.perf_counter() - begin
    ours_seconds, ours = fastest(lambda: find_orfs(sequences), repeats=20)
    orfipy_seconds, of_orfipy = fastest(lambda: orfipy_search(sequences), repeats=3)
    biopython_seconds, of_biopython = fastest(lambda: biopython_search(sequences), repeats=2)

    found = list(zip(ours.start.tolist(), ours.end.tolist(), strict=True))
    for name, others in (("orfipy", of_orfipy), ("Biopython", of_biopython)):
        if found != others:
            wrong = sum(a != b for a, b in zip(found, others, strict=True))
            print(f"{name} finds another ORF in {wrong:,} of {len(found):,} transcripts")
            return 1
    nucleotides = sum(map(len, sequences))
    print(f"transcripts        {len(sequences):,} (mean {nucleotides / len(sequences):,.0f} nt)")
    print(f"ORFs equal         all; {(~ours.has_stop).sum():,} without stop")
    for name, seconds in (
        ("Biopython", biopython_seconds),
        ("orfipy", orfipy_seconds),
        ("find_orfs", ours_seconds),
    ):
        print(f"{name:18s} {seconds:9.4f} s  {nucleotides / seconds / 1e6:9.2f} Mnt/s")
    print(f"compiling          {compiling:9.4f} s")
    print(f"ratio to Biopython {biopython_seconds / ours_seconds:9.0f} x")
    ratio = orfipy_seconds / ours_seconds
    print(f"ratio to orfipy    {ratio:9.0f} x (target {TARGET} x)")
    return 0 if ratio >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
