"""Gradients of language models at their token embeddings, brought to nucleotides.

Tokens have no gradient, their embeddings have. Contributions of an embedding's values add up to its token's, and a
token's are shared evenly among the nucleotides under it, so that the sum over a sequence stays what it was.

The reference decides what a contribution means. Here it is the mean over a few shuffles of the sequence itself that
keep its dinucleotides, one integral for each: they have the same special tokens in the same places (whose contributions
are 0, so that nucleotides' add up to the whole), and tokens that the model knows. The polyadenylation study (section
4.2.1) used one input of [PAD] alone, which no model sees in training, and also takes [CLS] and the species away.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from captum.attr import IntegratedGradients
from torch import nn

from nucleotune.attention.spans import TokenSpans
from nucleotune.errors import InputError
from nucleotune.models.tokenizers import Tokenizer
from nucleotune.progress import Progress
from nucleotune.sequence.kmers import TokenizedSequences
from nucleotune.sequence.shuffle import shuffle_sequences

#: (inputs_embeds (batch, tokens, hidden), number of the sequence in each row, int64 (batch,)) -> target (batch,).
Score = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class TokenContributions(NamedTuple):
    """Contributions of tokens to a target, and how well they add up, float64.

    tokens  (n, tokens)
    values  (n,): target at the sequence, less its mean at the references
    delta   (n,): sum of `tokens` less `values`; what the sum over steps is off the integral
    """

    tokens: np.ndarray
    values: np.ndarray
    delta: np.ndarray


def token_rectangle(tokenized: TokenizedSequences) -> np.ndarray:
    """Ids of all sequences, int64 (n, tokens).

    Raises InputError if they have different numbers of tokens.
    """
    lengths = tokenized.lengths
    if (lengths != lengths[0]).any():
        raise InputError(
            f"sequences have {lengths.min()} to {lengths.max()} tokens: contributions are compared token by token, so "
            f"give sequences of one length, and a tokenizer of k-mers or single nucleotides"
        )
    return tokenized.rectangle(np.arange(len(tokenized)))[0]


def shuffled_references(
    tokenizer: Tokenizer,
    sequences: Sequence[str],
    *,
    truncation: str | None,
    count: int = 4,
    seed: int,
) -> np.ndarray:
    """Token ids of `count` shuffles of each sequence that keep its dinucleotides: int64 (n, count, tokens).

    Raises InputError as `token_rectangle` does.
    """
    repeated = [sequence for sequence in sequences for _ in range(count)]
    shuffled = shuffle_sequences(repeated, "dinucleotide", seed)
    names = [f"shuffle {i}" for i in range(len(shuffled))]
    rectangle = token_rectangle(tokenizer.encode(names, shuffled, truncation))
    return rectangle.reshape(len(sequences), count, -1)


def integrated_gradients(
    score: Score,
    embeddings: nn.Module,
    ids: np.ndarray,
    references: np.ndarray,
    *,
    steps: int = 32,
    rows: int = 64,
) -> TokenContributions:
    """Integrated gradients (Sundararajan et al. 2017, arXiv:1703.01365) of tokens, mean over references.

    Args:
        score: the target, from embeddings, of a model in evaluation mode. Where the target has weights
            (`targets.Target`), they are those of the sequence.
        embeddings: the model's token embedding (`get_input_embeddings()`), on the device to compute on.
        ids: (n, tokens), `token_rectangle`.
        references: (n, references, tokens), `shuffled_references`.
        steps: points of the Gauss-Legendre rule between a reference and the sequence.
        rows: of a batch.
    """
    device = next(embeddings.parameters()).device
    integrated = IntegratedGradients(score)
    n, count, _ = references.shape
    at_a_time = max(1, rows // steps)
    pairs = [(i, j) for i in range(n) for j in range(count)]
    tokens, values = np.zeros(ids.shape), np.zeros(n)
    progress = Progress("integrated gradients", len(pairs), "pairs of sequence and reference")
    for begin in range(0, len(pairs), at_a_time):
        i, j = np.array(pairs[begin : begin + at_a_time]).T
        sequence = torch.from_numpy(i).to(device)
        with torch.no_grad():
            x, reference = (
                embeddings(torch.from_numpy(t).to(device)) for t in (ids[i], references[i, j])
            )
            difference = (score(x, sequence) - score(reference, sequence)).double()
        gradients = integrated.attribute(
            x, reference, additional_forward_args=(sequence,), n_steps=steps, method="gausslegendre"
        )
        np.add.at(tokens, i, gradients.detach().double().sum(dim=2).cpu().numpy() / count)
        np.add.at(values, i, difference.cpu().numpy() / count)
        progress.advance(len(i))
    return TokenContributions(tokens, values, tokens.sum(axis=1) - values)


def share_over_nucleotides(spans: TokenSpans, values: np.ndarray) -> np.ndarray:
    """Each token's value in equal shares on the nucleotides under it, float64 (nucleotides,); the sum is kept.

    A nucleotide under several tokens has the sum of its shares: near the ends of a sequence, where fewer k-mers
    overlap, it has less. (`attention.spans.to_nucleotides` is the mean, which does not add up.)

    Args:
        spans: of t tokens (`attention.spans.token_spans`).
        values: (t,), for instance (n, tokens) made flat. Those of special tokens go nowhere.
    """
    if len(values) != len(spans.begins):
        raise InputError(f"{len(values):,} values for {len(spans.begins):,} tokens")
    inside = spans.content
    begins, ends = spans.begins[inside], spans.ends[inside]
    widths = ends - begins
    owners = np.repeat(np.arange(len(begins)), widths)
    places = begins[owners] + np.arange(len(owners)) - (np.cumsum(widths) - widths)[owners]
    shares = (np.asarray(values, dtype=np.float64)[inside] / widths)[owners]
    return np.bincount(places, shares, minlength=int(spans.lengths.sum()))
