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
from importlib.metadata import version
from inspect import signature
from pathlib import Path
from typing import Any

import modiscolite
import numpy as np

from nucleotune.attribution.patterns import Patterns, read_patterns
from nucleotune.errors import InputError
from nucleotune.files import atomic_path

log = logging.getLogger(__name__)

#: For elements of six to ten nt that are close together in sequences of a few hundred. Names are those of
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
        What `read_patterns` reads from the file; no patterns where contributions vary too little to tell seqlets from
        the rest, as those of a model that says the same of every sequence.

    Raises:
        InputError: arrays do not fit or are not finite; a setting is unknown or out of range; modisco-lite has changed.
    """
    n, channels, length = sequences.shape
    if hypothetical.shape != (n, length, channels):
        raise InputError(
            f"contributions of shape {hypothetical.shape} for sequences of shape {sequences.shape}: expected "
            f"{(n, length, channels)}"
        )
    window = _check_settings(settings, length)
    one_hot = np.ascontiguousarray(sequences.transpose(0, 2, 1), dtype=np.float32)
    hypothetical = np.ascontiguousarray(hypothetical, dtype=np.float32)
    broken = np.flatnonzero(~np.isfinite(hypothetical).all(axis=(1, 2)))
    if len(broken):
        raise InputError(
            f"contributions of {len(broken)} of {n} sequences are not finite (first: number {broken[0]}, from"
            " 0), because the model's output is not finite; train it with a lower training.learning_rate"
        )
    started = time.perf_counter()
    if why := _without_seqlets((one_hot * hypothetical).sum(axis=2), window):
        log.warning("modisco: no patterns: %s", why)
        found = None, None
    else:
        with _one_strand():
            found = modiscolite.tfmodisco.TFMoDISco(one_hot, hypothetical, **settings)
    with atomic_path(path) as temporary:
        modiscolite.io.save_hdf5(temporary, *found, window_size=length)
    patterns = read_patterns(path)
    if patterns.seqlets["is_revcomp"].any():
        raise InputError(
            f"modisco-lite {version('modisco-lite')} gave reverse complements, which version 3.0.0 does not"
            " with these settings: install modisco-lite 3.0.0"
        )
    log.info(
        "modisco: %d patterns of %d seqlets in %d sequences, %.0f s",
        *(len(patterns.table), len(patterns.seqlets), n, time.perf_counter() - started),
    )
    return patterns


def _without_seqlets(actual: np.ndarray, window: int) -> str:
    """Why modisco-lite cannot take seqlets out of contributions (n, L), or nothing where it can.

    It fits a Laplace distribution to the sums of windows, one half to those above the mode, one to those below.
    """
    sums = np.lib.stride_tricks.sliding_window_view(actual, window, axis=1).sum(axis=2)
    if not sums.any():
        return "all contributions are 0"
    if not ((sums > 0).any() and (sums < 0).any()):
        return f"contributions of all windows of {window} nt have one sign"
    return ""


def _check_settings(settings: Mapping[str, Any], length: int) -> int:
    """The width of windows; InputError for settings that modisco-lite does not have or that do not fit `length`."""
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
    return window


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
