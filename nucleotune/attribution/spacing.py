"""Whether elements are in their known order and distance within a sequence: the question of Figure 8.

The polyadenylation study looked for it by eye in a few sequences (sections 5.4 and 6). Here it is a share of sequences,
beside the share when each element's positions are shuffled among the sequences. That control keeps the overall
distribution of an element, as when all sequences begin at the stop codon, and breaks what belongs together in one
sequence.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

#: nt from the positioning element to the site upstream of which it lies (section 2.1).
NEAREST, FARTHEST = 10, 30

Test = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]

#: What is asked -> (elements that it needs, the answer from positions of efficiency and positioning element, and site).
TESTS: dict[str, tuple[tuple[str, ...], Test]] = {
    "efficiency before positioning": (
        ("efficiency", "positioning"),
        lambda efficiency, positioning, site: efficiency < positioning,
    ),
    "positioning before site": (
        ("positioning",),
        lambda efficiency, positioning, site: positioning < site,
    ),
    f"positioning {NEAREST} to {FARTHEST} nt before site": (
        ("positioning",),
        lambda efficiency, positioning, site: _within(site - positioning),
    ),
    "efficiency before positioning before site": (
        ("efficiency", "positioning"),
        lambda efficiency, positioning, site: (efficiency < positioning) & (positioning < site),
    ),
    f"efficiency before positioning, {NEAREST} to {FARTHEST} nt before site": (
        ("efficiency", "positioning"),
        lambda efficiency, positioning, site: (
            (efficiency < positioning) & _within(site - positioning)
        ),
    ),
}


def order_of_elements(
    places: pd.DataFrame, sites: np.ndarray, *, seed: int, permutations: int = 1000
) -> pd.DataFrame:
    """Share of sequences whose elements are in order.

    Seqlets of positive patterns are elements that the model takes for ones; a negative pattern of the same letters is
    what it reads as a reason against a site. Of several seqlets of an element in a sequence, the one with the greatest
    contribution counts.

    Args:
        places: `motifs.seqlet_places`.
        sites: position of the site in each sequence, -1 for none; sequences without one are left out.
        seed: of the permutations.
        permutations: of the control.

    Returns:
        One row per test of TESTS: `test`, `n` (sequences with the elements that it needs and a site), `share`, and of
        the control `control` (mean), `control_low`, `control_high` (95 % of its shares), `p` (one-sided, at least
        1 / (permutations + 1)). NaN for fewer than two sequences.
    """
    positive = places[places["sign"] == "positive"]
    strongest = positive.sort_values("contribution", kind="stable")
    positions = strongest.groupby(["example", "element"])["position"].last().unstack()
    positions = positions.reindex(columns=["efficiency", "positioning"])
    site = sites[positions.index.to_numpy(dtype=np.int64)]
    generator = np.random.default_rng(seed)
    rows = []
    for name, (needed, test) in TESTS.items():
        complete = positions[list(needed)].notna().all(axis=1).to_numpy() & (site >= 0)
        known = positions[complete].to_numpy(dtype=np.float64).T
        rows.append(
            {"test": name, **_measure(test, known, site[complete], generator, permutations)}
        )
    return pd.DataFrame(rows)


def _measure(
    test: Test,
    positions: np.ndarray,
    site: np.ndarray,
    generator: np.random.Generator,
    permutations: int,
) -> dict[str, float | int]:
    """One test of `positions` (elements, n) and its control."""
    names = ("share", "control", "control_low", "control_high", "p")
    n = len(site)
    if n < 2:
        return {"n": n, **dict.fromkeys(names, float("nan"))}
    share = test(*positions, site).mean()
    shuffled = (generator.permuted(np.tile(row, (permutations, 1)), axis=1) for row in positions)
    control = test(*shuffled, site).mean(axis=1)
    # Shares are multiples of 1 / n: those that are equal may differ in their last bit.
    p = (1 + (control >= share - 1e-9).sum()) / (1 + permutations)
    values = (share, control.mean(), *np.quantile(control, [0.025, 0.975]), p)
    return {"n": n, **{name: float(value) for name, value in zip(names, values, strict=True)}}


def _within(distance: np.ndarray) -> np.ndarray:
    return (distance >= NEAREST) & (distance <= FARTHEST)
