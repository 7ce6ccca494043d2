"""One way in: what a trained model's output on some sequences is due to, by the ways that fit the model.

    network on nucleotides (BPNet)                 DeepLIFT
    profile model or classifier on tokens          integrated gradients at the token embeddings
    classifier whose tokens vary in number         substitutions (in-silico mutagenesis)
    fitted baseline                                substitutions

The first two are checked by substitutions in some or all of the sequences, of which motifs of token models are made.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from nucleotune.attention.spans import token_spans
from nucleotune.attribution import deeplift, gradients
from nucleotune.attribution.contributions import DEEPLIFT, GRADIENTS, MUTAGENESIS, Explained
from nucleotune.attribution.ism import Score, centred, mutagenesis, network_mutagenesis
from nucleotune.attribution.onehot import at_bases, on_bases, one_hot
from nucleotune.attribution.selection import Chosen
from nucleotune.attribution.targets import (
    Target,
    count_target,
    number_of,
    output_target,
    output_weights,
    profile_target,
)
from nucleotune.devices import full_fp32
from nucleotune.errors import InputError
from nucleotune.models.names import BASELINE
from nucleotune.models.profile import KIND, load_profile_model
from nucleotune.models.profile_networks import AverageProfile
from nucleotune.models.spec import has_windows
from nucleotune.models.tokenizers import Tokenizer, make_tokenizer
from nucleotune.models.weights import read_description
from nucleotune.sequence.kmers import TokenizedSequences
from nucleotune.training.batches import collate
from nucleotune.training.compute import pool, resolve_device

log = logging.getLogger(__name__)

#: Targets of profile models; those of others are their classes, labels or numbers.
TARGETS: dict[str, Callable[[], Target]] = {"profile": profile_target, "count": count_target}

#: Sequences of a forward pass of a token model; of a call of a baseline.
ROWS = 64
BASELINE_ROWS = 2048


@dataclass(frozen=True)
class TokenModel:
    """A model on tokens, in evaluation mode.

    embeddings  module of the network that embeds token ids, on the device to compute on
    outputs     of token ids (batch, tokens) and a mask (1 for tokens, 0 for padding; None without padding), what
                `target` is of
    model       validated dict, see `models.spec`
    truncation  side that the tokenizer cuts off; None where all of a sequence is read, in windows
    """

    embeddings: nn.Module
    outputs: Callable[[torch.Tensor, torch.Tensor | None], Any]
    target: Target
    tokenizer: Tokenizer
    model: dict[str, Any]
    truncation: str | None

    def outputs_at(self, embedded: torch.Tensor, ids: torch.Tensor) -> Any:
        """Outputs with `embedded` (batch, tokens, hidden) in the place of the embeddings of `ids`, without padding."""
        with _embedded_as(self.embeddings, embedded):
            return self.outputs(ids, None)


def explain(
    model_dir: str | Path,
    chosen: Chosen,
    *,
    target: str | None = None,
    mutated: int,
    seed: int,
    device: str | None = None,
    threads: int | None = None,
) -> Explained:
    """Explain the model in a directory of `training.fit` or `baselines.fit_predict`.

    On a GPU, too, in fp32: effects are differences of nearly equal numbers, of which TF32 would leave its rounding.

    Args:
        model_dir: of the model.
        chosen: sequences of one length.
        target: of a profile model one of TARGETS, None for the profile; of others the name of a class, label or number
            (`targets.output_weights`), None for the only one, or of two classes the second. Contributions to classes
            and labels are log-odds, those to numbers in the user's unit.
        mutated: number of sequences, drawn at random, whose every substitution is tried; more than there are: all. Of
            what is explained by substitutions alone all are taken.
        seed: of references and of what is drawn.
        device: `cpu`, `cuda`, ...; None takes CUDA if there is one.
        threads: CPU threads; None leaves torch's choice.

    Raises:
        InputError: the model is not one that can be explained, or the sequences do not fit it.
    """
    torch_device, begin = resolve_device(device, threads), time.perf_counter()
    drawn = np.random.default_rng(seed).permutation(len(chosen.ids))[:mutated]
    rows = np.sort(drawn)
    description = read_description(model_dir)
    if description.get("kind") == BASELINE:
        found = _explain_baseline(model_dir, description, target, chosen, threads)
    elif description.get("kind") == KIND:
        profile = load_profile_model(model_dir)
        network = profile.network.to(torch_device).requires_grad_(False)
        wanted = TARGETS[target or "profile"]()
        profile.inputs(chosen.sequences, chosen.ids)  # refuses sequences of another length
        if isinstance(network, AverageProfile):
            raise InputError(f"{model_dir}: the average profile does not look at the sequence")
        if profile.tokenizer is None:
            found = _explain_network(network, chosen, wanted, rows, seed)
        else:
            tokens = TokenModel(
                network.encoder.get_input_embeddings(),
                lambda ids, mask: network(ids),
                wanted,
                profile.tokenizer,
                profile.description["model"],
                "right",
            )
            found = explain_tokens(tokens, chosen, rows, seed)
    else:
        tokens = _classifier(model_dir, target, torch_device)
        found = explain_tokens(tokens, chosen, rows, seed)
    seconds = time.perf_counter() - begin
    log.info(
        "%s of %d sequences, mutagenesis of %d, on %s: %.0f s",
        *(found.way, len(found.ids), len(found.mutated), torch_device.type, seconds),
    )
    return found


def _classifier(model_dir: str | Path, target: str | None, device: torch.device) -> TokenModel:
    # Here, because transformers takes longer to import than a network without encoder to be explained.
    from nucleotune.models.description import head_of
    from nucleotune.models.load import load_model

    classifier, description = load_model(model_dir)
    head = head_of(description)
    number = number_of(model_dir, head.task, head.names or ("0", "1"), target)
    scale = description.get("scale", {}).get("sd")
    if description["method"]["view"] != "transcript":
        raise InputError(
            f"{model_dir}: the model reads only a part of each sequence (view"
            f" {description['method']['view']!r}); only models that read all of it can be explained"
        )
    classifier.to(device).requires_grad_(False)
    tokenizer = make_tokenizer(description["model"], model_dir)
    if has_windows(description["method"]):
        outputs, truncation = _in_windows(classifier, tokenizer, description), None
    else:
        outputs = lambda ids, mask: classifier(input_ids=ids, attention_mask=mask)  # noqa: E731
        truncation = description["truncation"]
    return TokenModel(
        classifier.get_input_embeddings(),
        outputs,
        output_target(output_weights(head.task, head.outputs, number, scale)),
        tokenizer,
        description["model"],
        truncation,
    )


@contextmanager
def _embedded_as(embeddings: nn.Module, embedded: torch.Tensor) -> Iterator[None]:
    """Put `embedded` (batch, tokens, hidden) in the place of what `embeddings` makes of any token ids.

    By a hook: not every family of transformers adds positions to what it is given as `inputs_embeds`.
    """
    hook = embeddings.register_forward_hook(lambda module, inputs, output: embedded)
    try:
        yield
    finally:
        hook.remove()


def _in_windows(
    classifier: nn.Module, tokenizer: Tokenizer, description: dict[str, Any]
) -> Callable[[torch.Tensor, torch.Tensor | None], Any]:
    """`TokenModel.outputs` of a classifier that reads whole sequences in windows."""
    from transformers.modeling_outputs import SequenceClassifierOutput

    from nucleotune.models.reading import windows_of

    embeddings = classifier.get_input_embeddings()

    def outputs(ids: torch.Tensor, mask: torch.Tensor | None) -> SequenceClassifierOutput:
        n = len(ids)
        filled = torch.ones_like(ids, dtype=torch.bool) if mask is None else mask.bool()
        tokens = ids[filled].cpu().numpy().astype(np.uint16)
        offsets = np.concatenate([[0], filled.sum(1).cumsum(0).cpu().numpy()])
        nothing = np.zeros(n, dtype=np.int64)
        whole = TokenizedSequences(tokens, offsets, nothing, nothing > 0, tokenizer.pad_id)
        windows = windows_of(whole, tokenizer, description)
        every = np.arange(n)
        read, places, inside = windows.rectangle(windows.of(every))
        read, places, inside = (torch.from_numpy(a).to(ids.device) for a in (read, places, inside))
        # Embedded once, so that what `outputs_at` puts in their place reaches every window.
        with _embedded_as(embeddings, embeddings(ids)[filled][places]):
            logits = classifier(input_ids=read, attention_mask=inside.long()).logits
        return SequenceClassifierOutput(logits=pool(logits, windows, every))

    return outputs


@full_fp32()
def _explain_network(
    network: nn.Module, chosen: Chosen, target: Target, rows: np.ndarray, seed: int
) -> Explained:
    x = one_hot(chosen.sequences)
    references = deeplift.shuffled_references(chosen.sequences, seed=seed)
    found = deeplift.deeplift(network, x, references, target)
    effects = network_mutagenesis(network, x[rows], target) if len(rows) else _no_effects(x)
    return Explained(
        DEEPLIFT,
        np.array(chosen.ids),
        x,
        *found,
        mutated=rows,
        effects=centred(effects),
        sites=chosen.sites,
    )


@full_fp32()
def explain_tokens(
    tokens: TokenModel, chosen: Chosen, rows: np.ndarray, seed: int, *, steps: int = 32
) -> Explained:
    """Integrated gradients of a token model, `steps` an integral, and mutagenesis of the sequences `rows`.

    Where numbers of tokens differ, as with byte-pair encoding, there are no gradients, and all sequences are mutated.
    """
    tokenized = tokens.tokenizer.encode(chosen.ids, chosen.sequences, tokens.truncation)
    parts = [_outputs(tokens, tokenized, part) for part in _batches(len(tokenized))]
    weights = torch.cat([tokens.target.weights(part) for part in parts])

    def score_mutants(mutants: list[str], owners: np.ndarray) -> np.ndarray:
        names = [chosen.ids[owner] for owner in owners]
        encoded = tokens.tokenizer.encode(names, mutants, tokens.truncation)
        outputs = _outputs(tokens, encoded, np.arange(len(encoded)))
        of = torch.from_numpy(owners).to(weights.device)
        return tokens.target.value(outputs, weights[of]).cpu().numpy()

    pair = gradients.with_references(
        tokens.tokenizer, tokenized, chosen.sequences, truncation=tokens.truncation, seed=seed
    )
    if pair is None:
        log.info("numbers of tokens differ, so that only substitutions explain the model")
        return _explain_by_substitutions(chosen, score_mutants, ROWS)
    ids, references = pair
    at = torch.from_numpy(ids).to(weights.device)

    def score(embedded: torch.Tensor, sequence: torch.Tensor) -> torch.Tensor:
        outputs = tokens.outputs_at(embedded, at[sequence])
        return tokens.target.value(outputs, weights[sequence])

    x = one_hot(chosen.sequences)
    found = gradients.integrated_gradients(
        score, tokens.embeddings, ids, references, steps=steps, rows=ROWS
    )
    spans = token_spans(tokens.model, tokens.tokenizer, tokenized, chosen.sequences)
    shared = gradients.share_over_nucleotides(spans, found.tokens.ravel())
    actual = shared.reshape(len(ids), -1).astype(np.float32)
    effects = _no_effects(x)
    if len(rows):
        effects = mutagenesis(
            [chosen.sequences[row] for row in rows],
            lambda mutants, owners: score_mutants(mutants, rows[owners]),
            batch=ROWS,
        )
    return Explained(
        GRADIENTS,
        np.array(chosen.ids),
        x,
        on_bases(actual, x),
        actual,
        found.values,
        found.delta,
        mutated=rows,
        effects=centred(effects),
        sites=chosen.sites,
    )


def _explain_baseline(
    model_dir: str | Path,
    description: dict[str, Any],
    target: str | None,
    chosen: Chosen,
    threads: int | None,
) -> Explained:
    # Here, because scikit-learn and LightGBM take seconds to import, and no network needs them.
    from nucleotune.baselines import saved_baseline

    saved = saved_baseline(model_dir, description, threads=threads or os.cpu_count() or 1)
    number = number_of(model_dir, saved.kind, saved.names, target)
    weights = np.array(output_weights(saved.kind, len(saved.names), number))
    return _explain_by_substitutions(
        chosen, lambda sequences, owners: saved.outputs(sequences) @ weights, BASELINE_ROWS
    )


def _explain_by_substitutions(chosen: Chosen, score: Score, batch: int) -> Explained:
    """What each base is worth above a base at random, of any model; `score` is that of `ism.mutagenesis`."""
    x, everything = one_hot(chosen.sequences), np.arange(len(chosen.ids))
    values = [score([chosen.sequences[i] for i in part], part) for part in _batches(len(x), batch)]
    effects = centred(mutagenesis(chosen.sequences, score, batch=batch))
    return Explained(
        MUTAGENESIS,
        np.array(chosen.ids),
        x,
        effects,
        at_bases(effects, x),
        np.concatenate(values).astype(np.float64),
        np.full(len(x), np.nan),
        mutated=everything,
        effects=effects,
        sites=chosen.sites,
    )


@torch.no_grad()
def _outputs(tokens: TokenModel, tokenized: TokenizedSequences, indices: np.ndarray) -> Any:
    """Outputs at the sequences `indices`, padded where they have different numbers of tokens."""
    ids, mask = collate(tokenized, indices, next(tokens.embeddings.parameters()).device)
    return tokens.outputs(ids, mask)


def _batches(n: int, size: int = ROWS) -> list[np.ndarray]:
    return np.split(np.arange(n), np.arange(size, n, size))


def _no_effects(x: np.ndarray) -> np.ndarray:
    return np.zeros((0, x.shape[2], x.shape[1]), dtype=np.float32)
