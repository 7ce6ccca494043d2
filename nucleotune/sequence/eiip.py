"""Power spectrum of a transcript as a signal of electron-ion interaction potentials (EIIP).

Each base is replaced by its EIIP (Nair and Sreenadhan, Bioinformation 2006;1:197); coding sequence shows a peak at one
third of the sampling rate, its period of three. The six numbers are those of LncFinder (Han et al., Briefings in
Bioinformatics 2019;20:2009).
"""

from collections.abc import Sequence

import numpy as np

#: Names of the columns of `eiip_features`.
FEATURES = ("signal_peak", "signal_to_noise", "signal_min", "signal_q1", "signal_q2", "signal_max")

_EIIP = np.zeros(256)
_EIIP[np.frombuffer(b"ACGT", dtype=np.uint8)] = (0.1260, 0.1340, 0.0806, 0.1335)

_TOP_SHARE = 0.1


def eiip_features(sequences: Sequence[str]) -> np.ndarray:
    """Return the spectrum's features, float64 (n, 6), of transcripts in upper-case ACGTN (N has potential 0).

    With P[j] = |FFT|^2 of the L potentials, j = 0 ... L - 1, and t = L / 3 rounded (half to even): the peak is the
    largest of P[t - 3] ... P[t + 1]. That is the tool's window, R's t - 2 ... t + 2, whose centre is one bin below the
    period of three. The signal-to-noise ratio is the peak over the mean of all P. The others are minimum, lower
    quartile, median and maximum (linear interpolation) of the largest tenth of P[1] ... P[L - 2], at least one value.
    All are 0 below three nucleotides.
    """
    table = np.zeros((len(sequences), len(FEATURES)))
    for row, sequence in zip(table, sequences, strict=True):
        if len(sequence) >= 3:
            row[:] = _features(_EIIP[np.frombuffer(sequence.encode("ascii"), dtype=np.uint8)])
    return table


def _features(signal: np.ndarray) -> tuple[float, ...]:
    n = len(signal)
    half = np.abs(np.fft.rfft(signal)) ** 2
    # The spectrum of real numbers is symmetric: P[j] = P[n - j].
    power = np.concatenate([half, half[1 : n - len(half) + 1][::-1]])
    third = round(n / 3)
    peak = power[max(third - 3, 0) : third + 2].max()
    mean = power.mean()
    inner = power[1:-1]
    size = max(round(_TOP_SHARE * len(inner)), 1)
    top = np.partition(inner, len(inner) - size)[len(inner) - size :]
    return (peak, peak / mean if mean else 0.0, *np.quantile(top, [0.0, 0.25, 0.5, 1.0]))
