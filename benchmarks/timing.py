"""What benchmarks of this folder share: transcripts to work on, and the least time of several calls."""

import time
from collections.abc import Callable

import numpy as np


def simulate_transcripts(n: int, seed: int) -> list[str]:
    """`n` random sequences of log-normal length, mean about 1,300 nt, with an N in every 1,000 nt."""
    rng = np.random.default_rng(seed)
    lengths = rng.lognormal(mean=6.89, sigma=0.75, size=n).astype(int).clip(100, 50_000)
    letters = rng.choice(
        np.frombuffer(b"ACGTN", dtype="S1"), lengths.sum(), p=[0.24975] * 4 + [0.001]
    )
    text = letters.tobytes().decode()
    ends = np.cumsum(lengths)
    return [text[end - length : end] for end, length in zip(ends, lengths, strict=True)]


def fastest(function: Callable, repeats: int) -> tuple[float, object]:
    """Least seconds of `repeats` calls, and what the last one gave."""
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - begin)
    return min(seconds), result
