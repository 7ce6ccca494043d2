"""Patterns that modisco-lite found, read from its file; that takes a tenth of a second where modisco-lite takes one."""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from nucleotune.files import reading
from nucleotune.sequence.alphabet import BASES

#: Share of a pattern's highest contribution that positions of its core have, but for gaps of so many others.
CORE_SHARE = 0.25
CORE_GAP = 1

#: Least share of a base that names a position in a consensus; N below.
CONSENSUS_SHARE = 0.5

GROUPS = {"positive": "pos_patterns", "negative": "neg_patterns"}


@dataclass(frozen=True)
class Patterns:
    """Patterns and the seqlets that they were made of.

    table    one row per pattern: `pattern` (positive_0, ... negative_0, ...), `sign`, `seqlets`, `consensus` of the
             core, `core_start` and `core_end` within the pattern, `contribution` (mean over seqlets, summed over
             positions)
    seqlets  one row per seqlet: `pattern`, `example` (number of the sequence), `start`, `end` (0-based half-open),
             `is_revcomp` (False), `contribution` (its sum)
    ppm      pattern -> share of each base, float64 (width, 4), bases A, C, G, T
    cwm      pattern -> mean contribution of each base, float64 (width, 4)

    The core are the positions around the highest contribution that have at least CORE_SHARE of it, and those between.
    """

    table: pd.DataFrame
    seqlets: pd.DataFrame
    ppm: dict[str, np.ndarray]
    cwm: dict[str, np.ndarray]

    def core(self, pattern: str) -> slice:
        """Positions of a pattern's core."""
        row = self.table.set_index("pattern").loc[pattern]
        return slice(int(row["core_start"]), int(row["core_end"]))


def read_patterns(path: str | Path) -> Patterns:
    """Patterns in a file of modisco-lite, whoever ran it; positive ones first, each kind by its number."""
    rows, seqlets, ppm, cwm = [], [], {}, {}
    with reading(path), h5py.File(path, "r") as file:
        for sign, group in GROUPS.items():
            names = sorted(file.get(group, ()), key=lambda name: int(name.split("_")[1]))
            for name in names:
                content = file[group][name]
                pattern = f"{sign}_{name.split('_')[1]}"
                ppm[pattern], cwm[pattern] = content["sequence"][:], content["contrib_scores"][:]
                members = content["seqlets"]
                contributions = members["contrib_scores"][:].sum(axis=(1, 2))
                core = _core(cwm[pattern])
                rows.append(
                    {
                        "pattern": pattern,
                        "sign": sign,
                        "seqlets": len(contributions),
                        "consensus": consensus(ppm[pattern][core]),
                        "core_start": core.start,
                        "core_end": core.stop,
                        "contribution": float(contributions.mean()),
                    }
                )
                seqlets.append(
                    pd.DataFrame(
                        {
                            "pattern": pattern,
                            "example": members["example_idx"][:],
                            "start": members["start"][:],
                            "end": members["end"][:],
                            "is_revcomp": members["is_revcomp"][:],
                            "contribution": contributions,
                        }
                    )
                )
    table = pd.DataFrame(rows, columns=_TABLE)
    return Patterns(table, pd.concat([_NO_SEQLETS, *seqlets], ignore_index=True), ppm, cwm)


def consensus(ppm: np.ndarray) -> str:
    """Most frequent base of each position of a (width, 4) matrix, N where it has less than CONSENSUS_SHARE."""
    return "".join(BASES[row.argmax()] if row.max() >= CONSENSUS_SHARE else "N" for row in ppm)


_TABLE = ["pattern", "sign", "seqlets", "consensus", "core_start", "core_end", "contribution"]

_NO_SEQLETS = pd.DataFrame(
    {
        "pattern": pd.Series(dtype=object),
        "example": pd.Series(dtype=np.int64),
        "start": pd.Series(dtype=np.int64),
        "end": pd.Series(dtype=np.int64),
        "is_revcomp": pd.Series(dtype=bool),
        "contribution": pd.Series(dtype=np.float64),
    }
)


def _core(cwm: np.ndarray) -> slice:
    heights = np.abs(cwm).sum(axis=1)
    inside = np.flatnonzero(heights >= CORE_SHARE * heights.max())
    runs = np.split(inside, np.flatnonzero(np.diff(inside) > CORE_GAP + 1) + 1)
    (core,) = (run for run in runs if heights.argmax() in run)
    return slice(int(core[0]), int(core[-1]) + 1)
