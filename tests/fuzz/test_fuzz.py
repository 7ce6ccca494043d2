"""Every reader of outside text against its slow reading, on random inputs.

A short run by default. NUCLEOTUNE_FUZZ is the number of inputs over all readers, NUCLEOTUNE_FUZZ_SEED another seed
(`make fuzz N=100000 SEED=1`).
"""

import importlib
import os
from pathlib import Path

import pytest
from harness import run_case

_MODULES = sorted(path.stem for path in Path(__file__).parent.glob("fuzz_*.py"))
CASES = [case for module in _MODULES for case in importlib.import_module(module).CASES]

#: Inputs over all readers, about a minute's worth.
N = int(os.environ.get("NUCLEOTUNE_FUZZ", 8000))
SEED = int(os.environ.get("NUCLEOTUNE_FUZZ_SEED", 0))

#: Least share of inputs that a generator must get past the reader; one that makes only what is refused tests nothing.
LEAST_ACCEPTED = 0.1


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_reader(case):
    n = max(N // len(CASES), 1)
    counts = run_case(case, n, SEED)
    print(f"{case.name}: {dict(counts)}")
    if n >= 100:
        assert counts["accepted"] + counts["undecided"] >= LEAST_ACCEPTED * n, counts
        assert counts["refused"] + counts["undecided"] > 0, counts


def test_names_are_different():
    assert len({case.name for case in CASES}) == len(CASES)
