"""Batches of sequences of unequal length: which examples, in which order, padded how little.

A batch is what one optimiser step sees. It is cut into micro-batches, each a rectangle of tokens of which at most
`MAX_PADDING` is padding; their gradients add up to the batch's. So no set of lengths can waste more than that.
"""

from collections.abc import Iterator

import numpy as np
import torch

from nucleotune.sequence.kmers import TokenizedSequences

#: Most of a micro-batch's tokens that may be padding.
MAX_PADDING = 0.10

#: Batches whose examples are sorted by length together. More of them: fewer, fuller micro-batches; fewer of them:
#: batches that are closer to a random draw.
WINDOW_BATCHES = 8


def epoch_batches(
    lengths: np.ndarray, batch_size: int, *, seed: int, epoch: int
) -> list[np.ndarray]:
    """Cut a permutation of all examples into batches of like length.

    Within every window of WINDOW_BATCHES batches of the permutation, examples are sorted by length, cut into batches,
    and the batches shuffled. Every example occurs once; only the last window may end in a smaller batch.

    Args:
        lengths: tokens of each example, (n,).
        batch_size: examples a batch.
        seed: with `epoch` and the lengths, all that the order depends on.
        epoch: 0-based.

    Returns:
        Arrays of indices into `lengths`.
    """
    rng = np.random.default_rng((seed, epoch))
    order = rng.permutation(len(lengths))
    window = batch_size * WINDOW_BATCHES
    batches = []
    for start in range(0, len(order), window):
        chosen = order[start : start + window]
        chosen = chosen[np.argsort(lengths[chosen], kind="stable")]
        cut = [chosen[i : i + batch_size] for i in range(0, len(chosen), batch_size)]
        batches.extend(cut[i] for i in rng.permutation(len(cut)))
    return batches


def micro_batches(
    indices: np.ndarray, lengths: np.ndarray, max_tokens: int
) -> Iterator[np.ndarray]:
    """Cut the examples `indices` into micro-batches, longest examples first.

    Each micro-batch takes as many of the next shorter examples as keep its padding within MAX_PADDING and its
    rectangle (examples x longest) within `max_tokens`; an example longer than that stands alone.
    """
    order = indices[np.argsort(-lengths[indices], kind="stable")]
    sizes = lengths[order]
    begin = 0
    while begin < len(order):
        longest = sizes[begin]
        rest = sizes[begin : begin + max(1, max_tokens // longest)]
        rectangles = np.arange(1, len(rest) + 1) * longest
        # The share of padding can only grow along `rest`, which is sorted: the count of true values is the cut.
        end = begin + int((rectangles - np.cumsum(rest) <= MAX_PADDING * rectangles).sum())
        yield order[begin:end]
        begin = end


def collate(
    tokenized: TokenizedSequences, indices: np.ndarray, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Token ids (examples, longest) int64 of the examples `indices`, and their attention mask.

    The mask is None where nothing is padded: attention then takes its fast path.
    """
    ids, _, filled = tokenized.rectangle(indices)
    mask = None if filled.all() else to_device(filled.astype(np.int64), device)
    return to_device(ids, device), mask


def to_device(values: np.ndarray | torch.Tensor, device: torch.device) -> torch.Tensor:
    """`values` as a tensor on `device`, without waiting for what a GPU still computes."""
    tensor = torch.from_numpy(values) if isinstance(values, np.ndarray) else values
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)
