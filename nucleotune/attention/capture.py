"""Sums of attention, exact, read off while a model runs, in memory linear in the length of its input.

Attention to a property g is attention applied to g: sum_j alpha_ij g(j) is row i of softmax(q k' / sqrt(d)) G, with one
column of G for each property. So the properties travel as further columns of the value through the very call of fused
attention that the model makes anyway, and what comes back beside the layer's own output is summed up over i. No
attention matrix is ever held, and all properties together cost little more than none.

The calls are intercepted by a `TorchFunctionMode`, which sees every scaled_dot_product_attention in its block, with
query and key as they are used: rotated, scaled, with the bias of ALiBi or of padding. So nothing here knows any model's
modules; a model only has to be built with `attention="sdpa"`, as all are by default.

Whatever the device, computation is in the type of the weights (fp32), without autocast or TF32: sums of small weights
are the result, not a step on the way to one.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch.nn.functional import pad, scaled_dot_product_attention
from torch.overrides import TorchFunctionMode
from transformers import PreTrainedModel

from nucleotune.attention.batches import Batch, batches
from nucleotune.devices import full_fp32
from nucleotune.errors import InputError
from nucleotune.sequence.kmers import TokenizedSequences

#: Fused kernels want the sizes of a head, which grow by the properties, in multiples of 8.
ALIGNMENT = 8

#: Attention weights that are held at a time where columns of the matrix are summed: 4 MiB, about a core's cache.
WEIGHTS_AT_A_TIME = 2**20


@dataclass(frozen=True)
class AttentionSums:
    """Sums of attention weights alpha_ij (from token i to token j) of n sequences, each float32 (n, layers, heads ...).

    to_class     sum over all tokens i, special ones too, of alpha_i,CLS: the inner sum of BERT-RBP's equation 1
    to_sequence  sum over i and j, both tokens of the sequence, of alpha_ij: the denominator of its equation 2
    to_property  (..., p): the same sum over g(j) alpha_ij for each of p properties: its numerator
    """

    to_class: np.ndarray
    to_sequence: np.ndarray
    to_property: np.ndarray


class Inputs(NamedTuple):
    """What a layer's attention is computed from; its weights are softmax(query key' * scale + mask).

    query, key, value  (examples, heads, tokens, head size)
    mask               None, or of a shape that fits (examples, heads, tokens, tokens): True where attention may go, or
                       numbers to add to the scores
    scale              of the scores
    """

    query: torch.Tensor
    key: torch.Tensor
    value: torch.Tensor
    mask: torch.Tensor | None
    scale: float

    def context(self) -> torch.Tensor:
        """The layer's own result, (examples, heads, tokens, head size)."""
        return scaled_dot_product_attention(
            self.query, self.key, self.value, attn_mask=self.mask, scale=self.scale
        )

    def weights(self, rows: slice, heads: Sequence[int] | slice = slice(None)) -> torch.Tensor:
        """Attention weights of the queries `rows` only, (examples, heads, rows, tokens)."""
        scores = (self.query[:, heads, rows] * self.scale) @ self.key[:, heads].mT
        if self.mask is None:
            return scores.softmax(-1)
        mask = self.mask if self.mask.shape[1] == 1 else self.mask[:, heads]
        mask = mask if mask.shape[2] == 1 else mask[:, :, rows]
        if mask.dtype == torch.bool:
            return scores.masked_fill(~mask, -math.inf).softmax(-1)
        return (scores + mask).softmax(-1)


def attention_sums(
    classifier: PreTrainedModel,
    tokenized: TokenizedSequences,
    content: np.ndarray,
    properties: np.ndarray,
    *,
    max_tokens: int = 8192,
) -> AttentionSums:
    """Attention of every head to [CLS], to the sequence and to properties of its tokens, summed over each sequence.

    Args:
        classifier: any model of `models.load`, on the device to compute on; left in evaluation mode.
        tokenized: its input; the first token of every sequence is [CLS].
        content: bool (t,), for all t tokens of `tokenized`: those of the sequence, not special (`TokenSpans.content`).
        properties: (t, p), g(j) of each token and property: booleans, or any numbers; what it says of special tokens is
            not read. p may be 0.
        max_tokens: tokens of a batch, padding included; a longer sequence is a batch of its own.

    Raises:
        InputError: arrays of another length, or a model without fused attention.
    """
    _check_tokens(tokenized, content=content, properties=properties)
    encoder = classifier.base_model.eval()
    shape = (len(tokenized), *_layers_and_heads(encoder))
    sums = AttentionSums(
        np.zeros(shape, np.float32),
        np.zeros(shape, np.float32),
        np.zeros((*shape, properties.shape[1]), np.float32),
    )
    for batch in batches(tokenized, max_tokens):
        inside = content[batch.places] & batch.filled
        # Columns: [CLS], the sequence's tokens, each property among them.
        values = np.zeros((*inside.shape, 2 + properties.shape[1]), np.float32)
        values[:, 0, 0] = 1
        values[..., 1] = inside
        values[..., 2:] = properties[batch.places] * inside[..., None]
        columns = torch.from_numpy(values).to(encoder.device)
        # Over which tokens i to sum: all for [CLS], the sequence's own for the others.
        queries = np.stack([batch.filled, inside], axis=1).astype(np.float32)
        found = _run(
            encoder, batch, _property_reader(columns, torch.from_numpy(queries).to(encoder.device))
        )
        result = torch.stack(found, dim=1).cpu().numpy()
        sums.to_class[batch.indices] = result[..., 0, 0]
        sums.to_sequence[batch.indices] = result[..., 1, 1]
        sums.to_property[batch.indices] = result[..., 1, 2:]
    return sums


def attention_to_tokens(
    classifier: PreTrainedModel,
    tokenized: TokenizedSequences,
    content: np.ndarray,
    heads: Sequence[tuple[int, int]],
    *,
    max_tokens: int = 8192,
) -> np.ndarray:
    """Raw attention to every token, float32 (t, len(heads)): the sum of alpha_ij over the sequence's own tokens i.

    These are sums down the columns of an attention matrix, which no property can stand for. They are taken over a few
    rows of the matrix at a time: beside the model's own attention, this costs the chosen heads' scores once more.

    `heads` are pairs of layer and head, both from 0; the other arguments and the errors are those of `attention_sums`.
    """
    _check_tokens(tokenized, content=content)
    encoder = classifier.base_model.eval()
    result = np.zeros((len(tokenized.tokens), len(heads)), np.float32)
    for batch in batches(tokenized, max_tokens):
        inside = torch.from_numpy(content[batch.places] & batch.filled).to(encoder.device)
        found = _run(encoder, batch, _column_reader(inside, heads))
        for layer, sums in enumerate(found):
            chosen = [i for i, (wanted, _) in enumerate(heads) if wanted == layer]
            flat = sums.transpose(1, 2).cpu().numpy()[batch.filled]
            result[batch.places[batch.filled][:, None], chosen] = flat
    return result


def attention_from_class(
    classifier: PreTrainedModel, tokenized: TokenizedSequences, *, max_tokens: int = 8192
) -> np.ndarray:
    """Attention of [CLS] to every token, summed over the heads of each layer: float32 (t, layers).

    One row of each matrix: next to nothing beside the model's own attention. Arguments and errors are those of
    `attention_sums`.
    """
    encoder = classifier.base_model.eval()
    layers, _ = _layers_and_heads(encoder)
    result = np.zeros((len(tokenized.tokens), layers), np.float32)
    for batch in batches(tokenized, max_tokens):
        found = _run(encoder, batch, _class_reader)
        rows = torch.stack(found, dim=-1).cpu().numpy()
        result[batch.places[batch.filled]] = rows[batch.filled]
    return result


#: (layer, its inputs) -> the layer's own result, and what was read.
Reader = Callable[[int, Inputs], tuple[torch.Tensor, torch.Tensor]]


def _property_reader(columns: torch.Tensor, queries: torch.Tensor) -> Reader:
    """Reads (examples, heads, sets of queries, columns): attention to `columns`, summed over each set of `queries`."""

    def read(layer: int, inputs: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
        size, count = inputs.value.shape[-1], columns.shape[-1]
        # Query and key grow by zeros with the value: a fused kernel wants all three of one size, and where it does not
        # get it, torch falls back on whole matrices. Zeros leave every score what it was.
        extra = math.ceil((size + count) / ALIGNMENT) * ALIGNMENT - size
        more = pad(columns.to(inputs.value.dtype), (0, extra - count))[:, None]
        more = more.expand(-1, inputs.value.shape[1], -1, -1)
        result = inputs._replace(
            query=pad(inputs.query, (0, extra)),
            key=pad(inputs.key, (0, extra)),
            value=torch.cat([inputs.value, more], dim=-1),
        ).context()
        attended = result[..., size : size + count]
        return result[..., :size], queries[:, None] @ attended.float()

    return read


def _column_reader(inside: torch.Tensor, heads: Sequence[tuple[int, int]]) -> Reader:
    """Reads (examples, chosen heads, tokens): sums of attention to each token from those `inside`."""

    def read(layer: int, inputs: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
        chosen = [head for wanted, head in heads if wanted == layer]
        examples, tokens = inside.shape
        sums = torch.zeros((examples, len(chosen), 1, tokens), device=inside.device)
        if chosen:
            rows = max(1, WEIGHTS_AT_A_TIME // (examples * len(chosen) * tokens))
            for begin in range(0, tokens, rows):
                part = slice(begin, begin + rows)
                weights = inputs.weights(part, chosen).float()
                sums += inside[:, None, None, part].float() @ weights
        return inputs.context(), sums[:, :, 0]

    return read


def _class_reader(layer: int, inputs: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
    """Reads (examples, tokens): attention from the first token, summed over heads."""
    return inputs.context(), inputs.weights(slice(0, 1))[:, :, 0].float().sum(1)


class _Intercepted(TorchFunctionMode):
    """Within the block, a reader computes every fused attention; `found` is what it read, one entry per layer."""

    def __init__(self, read: Reader) -> None:
        super().__init__()
        self.read = read
        self.found: list[torch.Tensor] = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function is not scaled_dot_product_attention:
            return function(*args, **(kwargs or {}))
        context, found = self.read(len(self.found), _inputs(*args, **(kwargs or {})))
        self.found.append(found)
        return context


def _inputs(
    query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False
) -> Inputs:
    """The arguments of scaled_dot_product_attention, by their names there."""
    if dropout_p or is_causal or enable_gqa:
        raise NotImplementedError("attention with dropout, causal or grouped is not read here")
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    return Inputs(query, key, value, attn_mask, scale)


@torch.inference_mode()
def _run(encoder: PreTrainedModel, batch: Batch, read: Reader) -> list[torch.Tensor]:
    """What `read` finds in each layer while `encoder` computes `batch`."""
    device = encoder.device
    mask = (
        None if batch.filled.all() else torch.from_numpy(batch.filled.astype(np.int64)).to(device)
    )
    with full_fp32(), _Intercepted(read) as intercepted:
        encoder(input_ids=torch.from_numpy(batch.ids).to(device), attention_mask=mask)
    layers, _ = _layers_and_heads(encoder)
    if len(intercepted.found) != layers:
        raise InputError(
            f"{len(intercepted.found)} calls of fused attention in a model of {layers} layers: its attention cannot be "
            f'read. Build or load it with attention="sdpa"'
        )
    return intercepted.found


def _layers_and_heads(encoder: PreTrainedModel) -> tuple[int, int]:
    return encoder.config.num_hidden_layers, encoder.config.num_attention_heads


def _check_tokens(tokenized: TokenizedSequences, **arrays: np.ndarray) -> None:
    """Raise InputError unless each of `arrays` has a row for every token."""
    for name, array in arrays.items():
        if len(array) != len(tokenized.tokens):
            raise InputError(
                f"{name}: {len(array):,} rows, but there are {len(tokenized.tokens):,} tokens; special tokens"
                " also have rows"
            )
