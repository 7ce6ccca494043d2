"""In-silico mutagenesis: every nucleotide replaced by each of the others, and what that does to the target.

It needs no gradient and no reference, so any model can be compared with any other, and with its own gradients; it asks
for 3 L predictions a sequence. Only those are made, in batches across sequences.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from nucleotune.attribution.onehot import base_codes
from nucleotune.attribution.targets import Target
from nucleotune.progress import Progress
from nucleotune.sequence.alphabet import BASES, OTHER

#: (sequences, number of the original of each, int64) -> target of each, (len(sequences),).
Score = Callable[[list[str], np.ndarray], np.ndarray]


def mutagenesis(sequences: Sequence[str], score: Score, *, batch: int = 256) -> np.ndarray:
    """Effects of all single substitutions on a score.

    Args:
        sequences: n, of one length L, upper case.
        score: of sequences, each the original whose number is given, or a mutant of it: a target with weights
            (`targets.Target`) takes those of the original. Others may ignore the number.
        batch: most sequences of a call.

    Returns:
        Score of the mutant minus that of the original, float32 (n, L, 4), bases A, C, G, T; 0 for the base that is
        there, and at letters other than these, which are not replaced.

    Raises:
        InputError: sequences of different lengths, or none.
    """

    def mutants(owners: np.ndarray, positions: np.ndarray, bases: np.ndarray) -> np.ndarray:
        places = zip(owners.tolist(), positions.tolist(), bases.tolist(), strict=True)
        mutated = [
            sequences[i][:position] + BASES[base] + sequences[i][position + 1 :]
            for i, position, base in places
        ]
        return np.asarray(score(mutated, owners))

    codes = base_codes(sequences)
    originals = [
        score(
            list(sequences[begin : begin + batch]), np.arange(begin, min(begin + batch, len(codes)))
        )
        for begin in range(0, len(codes), batch)
    ]
    return _effects(codes, np.concatenate(originals), mutants, batch)


@torch.inference_mode()
def network_mutagenesis(
    network: nn.Module, sequences: np.ndarray, target: Target, *, batch: int = 128
) -> np.ndarray:
    """`mutagenesis` of a network on one-hot sequences: mutants are made where it computes, from the same tensor.

    Args:
        network: takes (batch, 4, L), in evaluation mode, on the device to compute on.
        sequences: one-hot, (n, 4, L) (`onehot.one_hot`).
        target: of the network's output; its weights are those of the original.
        batch: most sequences of a call. On a CPU, larger ones leave its cache.

    Returns:
        As `mutagenesis`.
    """
    x = torch.from_numpy(sequences).to(next(network.parameters()))
    outputs = [(part, network(part)) for part in x.split(batch)]
    weights = torch.cat([target.weights(output) for _, output in outputs])
    originals = torch.cat(
        [
            target.value(output, of_part)
            for (_, output), of_part in zip(outputs, weights.split(batch), strict=True)
        ]
    )
    del outputs

    def mutants(owners: np.ndarray, positions: np.ndarray, bases: np.ndarray) -> np.ndarray:
        owner, position, base = (
            torch.from_numpy(array).to(x.device) for array in (owners, positions, bases)
        )
        row = torch.arange(len(owner), device=x.device)
        mutated = x[owner]
        mutated[row, :, position] = 0
        mutated[row, base, position] = 1
        return target.value(network(mutated), weights[owner]).cpu().numpy()

    codes = np.where(sequences.any(axis=1), sequences.argmax(axis=1), OTHER)
    return _effects(codes, originals.cpu().numpy(), mutants, batch)


def _effects(
    codes: np.ndarray,
    originals: np.ndarray,
    mutants: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray],
    batch: int,
) -> np.ndarray:
    """Effects (n, L, 4) of all substitutions of `codes` (n, L); `mutants` scores (original, position, base)."""
    others = (codes[..., None] != np.arange(len(BASES))) & (codes != OTHER)[..., None]
    owners, positions, bases = np.nonzero(others)
    effects = np.zeros(others.shape, dtype=np.float32)
    progress = Progress("substitutions", len(owners), "mutants")
    for begin in range(0, len(owners), batch):
        place = tuple(array[begin : begin + batch] for array in (owners, positions, bases))
        effects[place] = mutants(*place) - originals[place[0]]
        progress.advance(len(place[0]))
    return effects


def centred(effects: np.ndarray) -> np.ndarray:
    """Effects (n, L, 4) less their mean over the four bases: comparable to hypothetical contributions.

    At the base that is there, this is what it is worth above a base at random.
    """
    return effects - effects.mean(axis=-1, keepdims=True)
