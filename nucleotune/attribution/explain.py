"""One way in: what a trained model's output on some sequences is due to, by the ways that fit the model.

    network on nucleotides (BPNet)                 DeepLIFT
    profile model or classifier on tokens          integrated gradients at the token embeddings

and for both in-silico mutagenesis of some or all of the sequences, as a check, and for the motifs of token models.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from nucleotune.attention.spans import token_spans
from nucleotune.attribution import deeplift, gradients
from nucleotune.attribution.contributions import DEEPLIFT, GRADIENTS, Explained
from nucleotune.attribution.ism import centred, mutagenesis, network_mutagenesis
from nucleotune.attribution.onehot import on_bases, one_hot
from nucleotune.attribution.selection import Chosen
from nucleotune.attribution.targets import Target, class_target, count_target, profile_target
from nucleotune.devices import full_fp32
from nucleotune.errors import InputError
from nucleotune.models.profile import KIND, load_profile_model
from nucleotune.models.profile_networks import AverageProfile
from nucleotune.models.spec import has_windows
from nucleotune.models.tokenizers import Tokenizer, make_tokenizer
from nucleotune.models.weights import read_description
from nucleotune.sequence.kmers import TokenizedSequences
from nucleotune.training.compute import POOLED, resolve_device

log = logging.getLogger(__name__)

#: Targets of profile models; a classifier has but one.
TARGETS: dict[str, Callable[[], Target]] = {"profile": profile_target, "count": count_target}

#: Sequences of a forward pass of a token model.
ROWS = 64


@dataclass(frozen=True)
class TokenModel:
    """A model on tokens, in evaluation mode.

    embeddings  token ids -> (batch, tokens, hidden), on the device to compute on
    outputs     of such embeddings, what `target` is of
    model       validated dict, see `models.spec`
    truncation  side that the tokenizer cuts off; None where all of a sequence is read, in windows
    """

    embeddings: nn.Module
    outputs: Callable[[torch.Tensor], Any]
    target: Target
    tokenizer: Tokenizer
    model: dict[str, Any]
    truncation: str | None


def explain(
    model_dir: str | Path,
    chosen: Chosen,
    *,
    target: str = "profile",
    mutated: int,
    seed: int,
    device: str | None = None,
    threads: int | None = None,
) -> Explained:
    """Explain the model in a directory of `training.fit`.

    On a GPU, too, in fp32: effects are differences of nearly equal numbers, of which TF32 would leave its rounding.

    Args:
        model_dir: of the model.
        chosen: sequences of one length.
        target: of a profile model, of TARGETS; of a classifier it is the logit of class 1 minus that of class 0.
        mutated: number of sequences, drawn at random, whose every substitution is tried; more than there are: all.
        seed: of references and of what is drawn.
        device: `cpu`, `cuda`, ...; None takes CUDA if there is one.
        threads: CPU threads; None leaves torch's choice.

    Raises:
        InputError: the model is not one that can be explained, or the sequences do not fit it.
    """
    torch_device, begin = resolve_device(device, threads), time.perf_counter()
    drawn = np.random.default_rng(seed).permutation(len(chosen.ids))[:mutated]
    rows = np.sort(drawn)
    if read_description(model_dir).get("kind") == KIND:
        profile = load_profile_model(model_dir)
        network, wanted = profile.network.to(torch_device).requires_grad_(False), TARGETS[target]()
        profile.inputs(chosen.sequences, chosen.ids)  # refuses sequences of another length
        if isinstance(network, AverageProfile):
            raise InputError(f"{model_dir}: the average profile does not look at the sequence")
        if profile.tokenizer is None:
            found = _explain_network(network, chosen, wanted, rows, seed)
        else:
            tokens = TokenModel(
                network.encoder.get_input_embeddings(),
                profile.from_embeddings,
                wanted,
                profile.tokenizer,
                profile.description["model"],
                "right",
            )
            found = explain_tokens(tokens, chosen, rows, seed)
    else:
        found = explain_tokens(_classifier(model_dir, torch_device), chosen, rows, seed)
    log.info(
        "%s of %d sequences, mutagenesis of %d, on %s: %.0f s",
        *(found.way, len(found.ids), len(rows), torch_device.type, time.perf_counter() - begin),
    )
    return found


def _classifier(model_dir: str | Path, device: torch.device) -> TokenModel:
    # Here, because transformers takes longer to import than a network without encoder to be explained.
    from nucleotune.models.description import head_of
    from nucleotune.models.load import load_model

    classifier, description = load_model(model_dir)
    head = head_of(description)
    if head.task != "classes" or head.outputs != 2:
        raise InputError(
            f"{model_dir}: the model predicts {head.outputs} {head.task}; only models of two classes or of profiles can"
            " be explained"
        )
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
        outputs = lambda embedded: classifier(inputs_embeds=embedded)  # noqa: E731
        truncation = description["truncation"]
    return TokenModel(
        classifier.get_input_embeddings(),
        outputs,
        class_target(),
        tokenizer,
        description["model"],
        truncation,
    )


def _in_windows(
    classifier: nn.Module, tokenizer: Tokenizer, description: dict[str, Any]
) -> Callable[[torch.Tensor], Any]:
    """The classifier's output of embeddings of whole sequences, which it reads in windows."""
    from transformers.modeling_outputs import SequenceClassifierOutput

    from nucleotune.models.reading import windows_of

    def outputs(embedded: torch.Tensor) -> SequenceClassifierOutput:
        # Sequences of as many tokens have the same windows: those of one made of padding.
        tokens = np.full(embedded.shape[1], tokenizer.pad_id, dtype=np.uint16)
        ends = np.array([0, len(tokens)])
        one = TokenizedSequences(tokens, ends, np.zeros(1), np.zeros(1, bool), tokenizer.pad_id)
        windows = windows_of(one, tokenizer, description)
        _, places, _ = windows.rectangle(windows.of(np.zeros(1, np.int64)))
        logits = [classifier(inputs_embeds=embedded[:, each]).logits for each in places]
        return SequenceClassifierOutput(logits=POOLED[windows.pooling](torch.stack(logits)))

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

    Raises InputError if sequences have different numbers of tokens, as with byte-pair encoding.
    """
    x = one_hot(chosen.sequences)
    tokenized = tokens.tokenizer.encode(chosen.ids, chosen.sequences, tokens.truncation)
    ids = gradients.token_rectangle(tokenized)
    with torch.no_grad():
        parts = [_embedded(tokens, ids[i : i + ROWS]) for i in range(0, len(ids), ROWS)]
        weights = torch.cat([tokens.target.weights(tokens.outputs(part)) for part in parts])

    def score(embedded: torch.Tensor, sequence: torch.Tensor) -> torch.Tensor:
        return tokens.target.value(tokens.outputs(embedded), weights[sequence])

    def score_mutants(mutants: list[str], owners: np.ndarray) -> np.ndarray:
        names = [chosen.ids[rows[owner]] for owner in owners]
        encoded = tokens.tokenizer.encode(names, mutants, tokens.truncation)
        embedded = _embedded(tokens, gradients.token_rectangle(encoded))
        with torch.inference_mode():
            return score(embedded, torch.from_numpy(rows[owners]).to(weights.device)).cpu().numpy()

    references = gradients.shuffled_references(
        tokens.tokenizer, chosen.sequences, truncation=tokens.truncation, seed=seed
    )
    found = gradients.integrated_gradients(
        score, tokens.embeddings, ids, references, steps=steps, rows=ROWS
    )
    spans = token_spans(tokens.model, tokens.tokenizer, tokenized, chosen.sequences)
    shared = gradients.share_over_nucleotides(spans, found.tokens.ravel())
    actual = shared.reshape(len(ids), -1).astype(np.float32)
    mutants = [chosen.sequences[row] for row in rows]
    effects = mutagenesis(mutants, score_mutants, batch=ROWS) if len(rows) else _no_effects(x)
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


@torch.no_grad()
def _embedded(tokens: TokenModel, ids: np.ndarray) -> torch.Tensor:
    device = next(tokens.embeddings.parameters()).device
    return tokens.embeddings(torch.from_numpy(ids).to(device))


def _no_effects(x: np.ndarray) -> np.ndarray:
    return np.zeros((0, x.shape[2], x.shape[1]), dtype=np.float32)
