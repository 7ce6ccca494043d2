"""Speed, memory and sensitivity of the search for related sequences (docs/tasks.md).

    python benchmarks/similarity.py --transcripts 95000
    python benchmarks/similarity.py --pairs 200

The first audits simulated transcripts: families of one to some members, which share 60 to 99 % of the letters and of
which some begin later. The second says of mutated pairs which share is found, by identity and length.
"""

import argparse
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pandas as pd

from nucleotune.sequence.similarity import relatives
from nucleotune.studies.related import nearest, related_shares

LETTERS = np.frombuffer(b"ACGT", np.uint8)
IDENTITIES = (0.95, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6)


def mutated(codes: np.ndarray, identity: float, rng: np.random.Generator) -> np.ndarray:
    """Codes of which each stays with probability `identity`, and is another else."""
    changed = np.flatnonzero(rng.random(len(codes)) > identity)
    codes = codes.copy()
    codes[changed] = (codes[changed] + rng.integers(1, 4, len(changed))) % 4
    return codes


def text(codes: np.ndarray) -> str:
    """Letters of codes."""
    return LETTERS[codes].tobytes().decode()


def transcripts(n: int, rng: np.random.Generator) -> list[str]:
    """Sequences of 200 to 20,000 nt, in families."""
    found: list[str] = []
    while len(found) < n:
        length = int(np.clip(rng.lognormal(7.2, 0.8), 200, 20_000))
        founder = rng.integers(0, 4, length)
        found.append(text(founder))
        for _ in range(min(int(rng.geometric(0.5)) - 1, n - len(found))):
            start = rng.integers(0, length // 3 + 1)
            found.append(text(mutated(founder, rng.uniform(0.6, 0.99), rng)[start:]))
    return found


def audit(n: int, both_strands: bool, threads: int) -> None:
    """Time and memory of `nearest`, with a fifth of the rows as test set."""
    rng = np.random.default_rng(2)
    rows = transcripts(n, rng)
    parts = np.where(rng.random(n) < 0.2, "test", "train")
    ids = [f"t{number}" for number in range(n)]
    examples = pd.DataFrame({"id": ids, "sequence": rows, "split": parts})
    start = time.perf_counter()
    table, reason = nearest(examples, both_strands=both_strands, threads=threads)
    seconds = time.perf_counter() - start
    found = related_shares(table, reason, both_strands=both_strands)["test"]
    child, own = (
        resource.getrusage(who).ru_maxrss / 1e6
        for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)
    )
    print(
        f"{n:,} rows, {sum(map(len, rows)) / 1e6:.0f} Mb, {found['strands']}: {found['shares_at']}"
    )
    print(
        f"{seconds:.0f} s with {threads} threads, {child:.1f} GB in MMseqs2, {own:.1f} GB in Python"
    )


def sensitivity(n: int) -> None:
    """Share of mutated pairs that are found."""
    rng = np.random.default_rng(1)
    for length in (100, 1000):
        founders = [rng.integers(0, 4, length) for _ in range(n)]
        shares = [
            (
                relatives(
                    [text(mutated(one, identity, rng)) for one in founders],
                    [text(one) for one in founders],
                    both_strands=False,
                )
                > 0
            ).mean()
            for identity in IDENTITIES
        ]
        print(
            f"{length} nt:",
            *(f"{100 * i:g} % {s:.2f}" for i, s in zip(IDENTITIES, shares, strict=True)),
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--transcripts", type=int, default=0)
    parser.add_argument("--both-strands", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=0)
    options = parser.parse_args()
    if options.transcripts:
        audit(options.transcripts, options.both_strands, options.threads)
    if options.pairs:
        sensitivity(options.pairs)
