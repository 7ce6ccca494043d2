"""Poly(A) signals of the toy yeast: where a gene's messages end, and why.

A site needs three elements in this order, at distances counted between their first bases: an efficiency element, a
positioning element `TO_POSITIONING` further, and `TO_CLEAVAGE` further a pyrimidine with a short stretch of A between
T-rich flanks, where the message is cut after each A. The better the elements, the more of a gene's messages end there.
A switch behind a site all but keeps it from being used in galactose. Elements that stand alone do nothing, nor does a
pair of positioning element and pyrimidine that lacks its efficiency element: without such pairs, two elements of three
would tell a site, and no model had to learn the third.

Positions are counted in a gene's window: 0 is the first base of its stop codon.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np

#: Stop codon and what follows it.
WINDOW = 300
STOP = 3

CONDITIONS = ("glucose", "galactose")

# Elements of yeast as reviews list them (Guo and Sherman 1996, doi:10.1016/0968-0004(96)10057-8); the first is the
# consensus. Shares and weights are this simulation's.
VARIANTS = {
    "efficiency": {"TATATA": 1.0, "TATGTA": 0.5, "TACATA": 0.4, "TTTATA": 0.3},
    "positioning": {"AATAAA": 1.0, "AAGAAA": 0.6, "AAAAAA": 0.5, "TATAAA": 0.35},
}
VARIANT_SHARES = (0.7, 0.1, 0.1, 0.1)
PYRIMIDINES = {"C": 1.0, "T": 0.6}
A_STRETCH = (2, 5)
SWITCH, SWITCH_WEIGHT = "GCGGAC", 0.08
FLANK, FLANK_T_SHARE = 5, 0.85

# Half-open ranges of distances.
TO_POSITIONING = (15, 31)
TO_CLEAVAGE = (12, 23)
TO_SWITCH = (0, 4)  # from the end of the flank
NO_OTHER_SWITCH = 40  # behind a site

SITES = {1: 0.2, 2: 0.4, 3: 0.4}
SWITCH_SHARE = 0.5  # of genes with several sites
SWITCH_AT_STRONGEST_SHARE = 0.7
# How many pairs lack their efficiency element, and so are no sites; half-open.
PAIRS = (1, 3)
# How many elements stand alone; half-open.
ALONE = {"efficiency": (0, 2), "positioning": (0, 2), "cleavage": (0, 3), "switch": (0, 2)}
PLACES = (1.2, 1.8)  # beta, from the stop codon on: nearer rather than farther
ATTEMPTS = 60

# Around a site: cut after the first A, the second and so on, each this much less often than after the one before; of
# some reads the end is found one base off, of some anywhere.
NEXT_A = 0.45
SHIFTED_SHARE = 0.08
STRAY_SHARE = 0.04


@dataclass(frozen=True)
class Element:
    """What is planted: `position` of its first base, the number of its site (None where it stands alone).

    weight: what it multiplies the strength of its site by (of a switch, in galactose).
    """

    name: str
    position: int
    sequence: str
    weight: float = 1.0
    site: int | None = None

    @property
    def end(self) -> int:
        """Position behind its last base."""
        return self.position + len(self.sequence)


@dataclass(frozen=True)
class Signal:
    """The elements behind a gene, in the order of their positions; they were drawn in a room that ends at `room`."""

    elements: tuple[Element, ...]
    room: int

    @property
    def sites(self) -> dict[int, Element]:
        """The cleavage element of each site, from the stop codon on."""
        return _cleavages(self.elements)

    def strength(self, site: int, condition: str) -> float:
        """Product of the weights of a site's elements."""
        return prod(
            element.weight
            for element in self.elements
            if element.site == site and (element.name != "switch" or condition == "galactose")
        )

    def profile(self, condition: str) -> np.ndarray:
        """Share of messages whose last base before the tail is at each position, shape (WINDOW,); needs a site."""
        ends = np.zeros(WINDOW + 1)
        for number, site in self.sites.items():
            cuts = NEXT_A ** np.arange(len(site.sequence) - 1)
            ends[site.position + 1 : site.end] += (
                self.strength(number, condition) * cuts / cuts.sum()
            )
        ends = (1 - SHIFTED_SHARE) * ends + SHIFTED_SHARE * (
            np.roll(ends, 1) + np.roll(ends, -1)
        ) / 2
        ends = (1 - STRAY_SHARE) * ends[:WINDOW] / ends[:WINDOW].sum()
        ends[STOP : self.room] += STRAY_SHARE / (self.room - STOP)
        return ends


def draw_signal(taken: np.ndarray, rng: np.random.Generator) -> Signal:
    """Draw sites and elements that stand alone where `taken`, bool (room,), has room; mark what they take in it.

    A site that finds no place is left out.
    """
    planted: list[Element] = []
    for number in range(int(rng.choice(list(SITES), p=list(SITES.values())))):
        site = [replace(element, site=number) for element in _site(rng)]
        planted += _place(site, planted, taken, rng)
    planted = _numbered_along(planted)
    planted += _switch(planted, taken, rng)
    for _ in range(int(rng.integers(*PAIRS))):
        planted += _place(_site(rng)[1:], planted, taken, rng)
    for name, numbers in ALONE.items():
        for _ in range(int(rng.integers(*numbers))):
            planted += _place(_element(name, rng), planted, taken, rng)
    return Signal(tuple(sorted(planted, key=lambda element: element.position)), len(taken))


def _site(rng: np.random.Generator) -> list[Element]:
    """Draw the elements of a site; the first stands at 0."""
    positioning = int(rng.integers(*TO_POSITIONING))
    cleavage = positioning + int(rng.integers(*TO_CLEAVAGE))
    return [
        *_element("efficiency", rng),
        *_shifted(_element("positioning", rng), positioning),
        *_shifted(_element("cleavage", rng), cleavage),
    ]


def _element(name: str, rng: np.random.Generator) -> list[Element]:
    """Draw an element at 0, a cleavage site with its flanks."""
    if name == "switch":
        return [Element(name, 0, SWITCH, SWITCH_WEIGHT)]
    if name in VARIANTS:
        sequence = str(rng.choice(list(VARIANTS[name]), p=VARIANT_SHARES))
        return [Element(name, 0, sequence, VARIANTS[name][sequence])]
    pyrimidine = str(rng.choice(list(PYRIMIDINES)))
    core = pyrimidine + "A" * int(rng.integers(*A_STRETCH))
    before, behind = (
        "".join(
            "T" if rng.random() < FLANK_T_SHARE else str(rng.choice(list("ACG")))
            for _ in range(FLANK)
        )
        for _ in range(2)
    )
    return [
        Element("flank", -FLANK, before),
        Element(name, 0, core, PYRIMIDINES[pyrimidine]),
        Element("flank", len(core), behind),
    ]


def _place(
    parts: Sequence[Element],
    planted: Sequence[Element],
    taken: np.ndarray,
    rng: np.random.Generator,
) -> list[Element]:
    """Shift parts to a place that is free, where they make no site but their own; nothing where none is found."""
    first = min(part.position for part in parts)
    last = len(taken) - max(part.end for part in parts)
    for _ in range(ATTEMPTS):
        if last <= STOP - first:
            break
        by = int(STOP - first + (last + 1 - STOP + first) * rng.beta(*PLACES))
        if _free(parts, by, taken):
            placed = _shifted(parts, by)
            if _as_meant([*planted, *placed]):
                _take(placed, taken)
                return placed
    return []


def _switch(
    planted: Sequence[Element], taken: np.ndarray, rng: np.random.Generator
) -> list[Element]:
    """Draw the switch of a gene with several sites, behind one of them."""
    sites = _cleavages(planted)
    if len(sites) < 2 or rng.random() >= SWITCH_SHARE:
        return []
    signal = Signal(tuple(planted), len(taken))
    number = max(sites, key=lambda site: signal.strength(site, "glucose"))
    if rng.random() >= SWITCH_AT_STRONGEST_SHARE:
        number = int(rng.choice([site for site in sites if site != number]))
    for distance in rng.permutation(np.arange(*TO_SWITCH)).tolist():
        switch = _shifted(_element("switch", rng), sites[number].end + FLANK + distance)
        if _free(switch, 0, taken):
            _take(switch, taken)
            return [replace(element, site=number) for element in switch]
    return []


def _as_meant(elements: Sequence[Element]) -> bool:
    """Whether the elements that stand as those of a site do are those of a site, and no switch is near by chance."""

    def named(name: str) -> list[Element]:
        return [element for element in elements if element.name == name]

    sites = _cleavages(elements).values()
    found = sum(
        p.position - e.position in range(*TO_POSITIONING)
        and c.position - p.position in range(*TO_CLEAVAGE)
        for e in named("efficiency")
        for p in named("positioning")
        for c in named("cleavage")
    )
    return found == len(sites) and not any(
        switch.site is None and switch.position - site.position in range(NO_OTHER_SWITCH)
        for switch in named("switch")
        for site in sites
    )


def _numbered_along(elements: Sequence[Element]) -> list[Element]:
    """Number sites 1, 2, ... from the stop codon on."""
    sites = sorted(_cleavages(elements).values(), key=lambda site: site.position)
    numbers = {site.site: number for number, site in enumerate(sites, start=1)}
    return [replace(element, site=numbers[element.site]) for element in elements]


def _cleavages(elements: Sequence[Element]) -> dict[int, Element]:
    return {e.site: e for e in elements if e.name == "cleavage" and e.site is not None}


def _shifted(elements: Sequence[Element], by: int) -> list[Element]:
    return [replace(element, position=element.position + by) for element in elements]


def _free(elements: Sequence[Element], by: int, taken: np.ndarray) -> bool:
    """Whether nothing stands where the elements would, shifted by so many bases."""
    return all(
        element.end + by <= len(taken) and not taken[element.position + by : element.end + by].any()
        for element in elements
    )


def _take(elements: Sequence[Element], taken: np.ndarray) -> None:
    for element in elements:
        taken[element.position : element.end] = True
