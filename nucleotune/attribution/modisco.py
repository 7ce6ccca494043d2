"""Motifs from contributions: TF-MoDISco, by modisco-lite (Shrikumar et al. 2018, arXiv:1811.00416).

It takes windows of high contribution out of the sequences (seqlets), clusters them and aligns each cluster: a pattern.

RNA has one strand, but modisco-lite takes a seqlet and its reverse complement for the same, and has no option that
says otherwise (issue 69 of jmschrei/tfmodisco-lite): AATAAA and TTTATT would be one pattern, and TATATA be turned at
random. `_one_strand` takes the reverse strand's data away from its comparisons.

modisco-lite compiles its functions in processes beside the first run and keeps them, but only where it is called from a
process that has one thread so far and may use more than one CPU. So a job for it alone takes 10 s, and a process
that has computed something with torch half a minute, every time.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from inspect import signature
from pathlib import Path
from typing import Any

import h5py
import modiscolite
import numpy as np
import pandas as pd

from nucleotune.attribution.onehot import BASES
from nucleotune.errors import InputError
from nucleotune.files import atomic_path

log = logging.getLogger(__name__)

#: For elements of six to ten nt that lie near each other in sequences of a few hundred. Names are those of
#: modiscolite's TFMoDISco. Windows are narrow on purpose: a pattern is trimmed to its most informative part, so a wide
#: one around a weak element moves to a strong one beside it, and the weak one is lost.
SETTINGS: dict[str, Any] = {
    "sliding_window_size": 7,
    "flank_size": 3,
    "target_seqlet_fdr": 0.2,
    "max_seqlets_per_metacluster": 5000,
    "min_metacluster_size": 50,
    "n_leiden_runs": 3,
    "trim_to_window_size": 10,
    "initial_flank_to_add": 2,
    "final_min_cluster_size": 20,
}

#: Share of a pattern's highest contribution that positions of its core have, but for gaps of so many others.
CORE_SHARE = 0.25
CORE_GAP = 1

#: Least share of a base that names a position in a consensus; N below.
CONSENSUS_SHARE = 0.5

GROUPS = {"positive": "pos_patterns", "negative": "neg_patterns"}


@dataclass(frozen=True)
class Patterns:
    """Patterns and the seqlets that they were made of.

    table    a row a pattern: `pattern` (positive_0, ... negative_0, ...), `sign`, `seqlets`, `consensus` of the core,
             `core_start` and `core_end` within the pattern, `contribution` (mean over seqlets, summed over positions)
    seqlets  a row a seqlet: `pattern`, `example` (number of the sequence), `start`, `end` (0-based half-open),
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


def write_inputs(directory: str | Path, sequences: np.ndarray, hypothetical: np.ndarray) -> None:
    """Write `sequences.npz` and `attributions.npz`, as `modisco motifs -s ... -a ...` reads them: (n, 4, L).

    Args:
        directory: made if it is not there.
        sequences: one-hot, (n, 4, L).
        hypothetical: (n, L, 4).
    """
    arrays = {"sequences": sequences, "attributions": hypothetical.transpose(0, 2, 1)}
    for name, array in arrays.items():
        path = Path(directory) / f"{name}.npz"
        with atomic_path(path) as temporary, temporary.open("wb") as stream:
            np.savez_compressed(stream, np.asarray(array, dtype=np.float32))


def run_modisco(
    sequences: np.ndarray,
    hypothetical: np.ndarray,
    path: str | Path,
    *,
    settings: Mapping[str, Any] = SETTINGS,
) -> Patterns:
    """Find patterns and write them, as modisco-lite does, to an HDF5 file.

    Args:
        sequences: one-hot, (n, 4, L).
        hypothetical: contributions of each base, (n, L, 4) (`deeplift.Contributions`, `ism.centred`).
        path: of the file.
        settings: arguments of TFMoDISco; those that are not named have modisco-lite's own values.

    Returns:
        What `read_patterns` reads from the file.

    Raises:
        InputError: arrays do not fit; a setting is unknown or out of range; modisco-lite has changed.
    """
    n, channels, length = sequences.shape
    if hypothetical.shape != (n, length, channels):
        raise InputError(
            f"contributions of shape {hypothetical.shape} for sequences of shape {sequences.shape}: expected "
            f"{(n, length, channels)}"
        )
    _check_settings(settings, length)
    started = time.perf_counter()
    with _one_strand():
        found = modiscolite.tfmodisco.TFMoDISco(
            np.ascontiguousarray(sequences.transpose(0, 2, 1), dtype=np.float32),
            np.ascontiguousarray(hypothetical, dtype=np.float32),
            **settings,
        )
    with atomic_path(path) as temporary:
        modiscolite.io.save_hdf5(temporary, *found, window_size=length)
    patterns = read_patterns(path)
    if patterns.seqlets["is_revcomp"].any():
        raise InputError(
            f"modisco-lite {version('modisco-lite')} gave reverse complements, which version 3.0.0 does not when told "
            f"so as here: install modisco-lite 3.0.0"
        )
    log.info(
        "modisco: %d patterns of %d seqlets in %d sequences, %.0f s",
        *(len(patterns.table), len(patterns.seqlets), n, time.perf_counter() - started),
    )
    return patterns


def read_patterns(path: str | Path) -> Patterns:
    """Patterns in a file of modisco-lite, whoever ran it; positive ones first, each kind by its number."""
    rows, seqlets, ppm, cwm = [], [], {}, {}
    with h5py.File(path, "r") as file:
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


def _check_settings(settings: Mapping[str, Any], length: int) -> None:
    known = signature(modiscolite.tfmodisco.TFMoDISco).parameters
    for name in settings:
        if name not in known or name in ("one_hot", "hypothetical_contribs"):
            raise InputError(f"modisco has no setting {name!r}: expected one of {', '.join(known)}")
    window, flank = (
        settings.get(name, known[name].default) for name in ("sliding_window_size", "flank_size")
    )
    if flank < 1 or window + 2 * flank > length:
        raise InputError(
            f"sliding_window_size {window} and flank_size {flank}: flanks must be at least 1 nt, and window and both "
            f"flanks not longer than the sequences, {length} nt"
        )


@contextmanager
def _one_strand() -> Iterator[None]:
    """Within the block, modisco-lite compares seqlets and patterns as they are, never reversed.

    It asks two places for the data of both strands: gapped k-mers, of which it takes the greater similarity, and rows
    to align, of which it takes the reverse strand only where that is better. Both get the forward strand twice. The
    processes that it forks inherit this.
    """
    places = [
        (modiscolite.util, "get_2d_data_from_patterns", _forward_twice),
        (modiscolite.gapped_kmer, "_gkmer_inputs", _forward_twice),
        (modiscolite.gapped_kmer, "_gkmer_inputs_loop", _forward_loop),
    ]
    originals = []
    try:
        for module, name, change in places:
            if not hasattr(module, name):
                raise InputError(
                    f"modisco-lite {version('modisco-lite')} has no {module.__name__}.{name}, where version 3.0.0 "
                    f"compares both strands: install modisco-lite 3.0.0"
                )
            originals.append((module, name, getattr(module, name)))
            setattr(module, name, change(getattr(module, name)))
        yield
    finally:
        for module, name, original in originals:
            setattr(module, name, original)


def _forward_twice(original: Callable) -> Callable:
    """Of (forward, reverse), the forward strand in both places; None, where there is no answer, stays."""

    def forward(*arguments: Any, **options: Any) -> Any:
        both = original(*arguments, **options)
        return both if both is None else (both[0], both[0])

    return forward


def _forward_loop(original: Callable) -> Callable:
    """The same for a function that is asked for one strand at a time."""

    def forward(seqlets: Any, topn: int, take_fwd: bool, sign: int) -> Any:
        return original(seqlets, topn, True, sign)

    return forward
