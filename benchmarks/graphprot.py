"""Speed of GraphProt's compiled features against the same in plain Python, on windows of 101 nt.

    python benchmarks/graphprot.py [--sequences 200]

Both make the features of the same random sequences and their shape representatives in this one process, on one thread,
and must agree to 1e-6. Plain Python is the reference of tests/unit/test_graphprot.py, on the first sequences only. The
best of several runs counts; folding, and compiling (once a machine: it is cached), are timed apart.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/unit"))

import numpy as np
from test_graphprot import reference_features
from timing import fastest

from nucleotune.baselines.graphprot_features import features
from nucleotune.sequence.shreps import shape_representatives

LENGTH = 101
TARGET_MS = 10.0


def main() -> int:
    """Time all; 0 if both forms agree and the compiled one reaches the target."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sequences", type=int, default=200)
    parser.add_argument("--reference", type=int, default=20, help="sequences for plain Python")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    letters = np.random.default_rng(options.seed).choice(list("ACGT"), (options.sequences, LENGTH))
    sequences = ["".join(row) for row in letters]
    begin = time.perf_counter()
    structures = shape_representatives(sequences)
    folding = (time.perf_counter() - begin) / len(sequences)
    begin = time.perf_counter()
    features(sequences[:1], structures[:1])
    compiling = time.perf_counter() - begin

    print(f"sequences          {len(sequences):,} of {LENGTH} nt, one thread")
    print(f"folding            {1e3 * folding:9.2f} ms a sequence")
    print(f"compiling          {compiling:9.2f} s")
    reached = True
    for name, shreps in (("structure", structures), ("sequence only", None)):
        seconds, table = fastest(lambda shreps=shreps: features(sequences, shreps), repeats=3)
        slow_seconds, rows = fastest(
            lambda shreps=shreps: [
                reference_features(sequences[i], None if shreps is None else shreps[i])
                for i in range(options.reference)
            ],
            repeats=2,
        )
        expected = np.zeros((len(rows), table.shape[1]))
        for dense, row in zip(expected, rows, strict=True):
            dense[list(row)] = list(row.values())
        wrong = np.abs(table[: len(rows)].toarray() - expected).max()
        fast, slow = 1e3 * seconds / len(sequences), 1e3 * slow_seconds / len(rows)
        print(name)
        print(f"  plain Python     {slow:9.2f} ms a sequence")
        print(f"  compiled         {fast:9.2f} ms a sequence (target {TARGET_MS:g} ms)")
        print(f"  ratio            {slow / fast:9.0f} x, largest difference {wrong:.1g}")
        reached &= bool(wrong <= 1e-6 and fast <= TARGET_MS)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
