"""Models that predict a profile along a sequence: built as a method says, saved, and loaded elsewhere.

A method is the dict of one `config/methods/<name>.yaml` of kind profile_model; what matters here:

    network     bpnet            BPNet on one-hot nucleotides
                encoder_conv     a language model's encoder and the shallow head `heads.ConvHead`
                encoder_dilated  a language model's encoder and the deep head `heads.DilatedHead`
                average          the same profile for every sequence: a reference line
    sizes       filters, layers, first_kernel, profile_kernel of bpnet and encoder_dilated; widths of encoder_conv
    adaptation  of an encoder: `frozen`, or `lora` with lora: {rank, alpha, dropout, bias}; else null
    faithful    true: position j is predicted from k-mer j alone, so the last k - 1 nucleotides are not predicted

An encoder gives one hidden state a k-mer, k - 1 fewer than nucleotides. By default a nucleotide gets the mean of the
states of the k-mers that cover it (k of them, down to one at the ends), so that all methods predict, and are scored on,
the same positions. With `faithful`, the states are taken as they are, as the polyadenylation study's program does:
it predicts 295 of 300 positions with SpeciesLM and 300 with BPNet.

A model directory is enough to predict with on another machine: model.safetensors (LoRA merged; no language-modelling
head), the tokenizer's files, nucleotune.json (method, model, tracks, length, versions).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import nn

from nucleotune.errors import InputError
from nucleotune.files import new_directory
from nucleotune.models.description import check_profile
from nucleotune.models.heads import BPNet, ConvHead, DilatedHead
from nucleotune.models.profile_networks import AverageProfile, EncoderProfile, one_hot
from nucleotune.models.spec import check_profile_method
from nucleotune.models.tokenizers import Tokenizer, make_tokenizer
from nucleotune.models.weights import (
    DESCRIPTION,
    count_parameters,
    load_weights,
    read_description,
    write_description,
    write_weights,
)
from nucleotune.sequence.kmers import TokenizedSequences

if TYPE_CHECKING:
    from peft import PeftModel

KIND = "profile_model"


@dataclass(frozen=True)
class ProfileModel:
    """A network with all that is needed to use it.

    network      BPNet or AverageProfile: of `one_hot`; EncoderProfile: of token ids; gives profile logits
                 (batch, tracks, positions) and log counts (batch, tracks)
    tokenizer    of an encoder, else None
    description  JSON values: method, model, tracks, length (nt), ...
    """

    network: nn.Module
    tokenizer: Tokenizer | None
    description: dict[str, Any]

    @property
    def tracks(self) -> tuple[str, ...]:
        """Names of the predicted tracks."""
        return tuple(self.description["tracks"])

    def inputs(self, sequences: Sequence[str], ids: Sequence[str] | None = None) -> torch.Tensor:
        """What the network reads of upper-case sequences, all as long as those it was trained on.

        Raises:
            InputError: a sequence has another length (names it by `ids`, or by its number).
        """
        ids = [str(i) for i in range(len(sequences))] if ids is None else ids
        length = self.description["length"]
        for name, sequence in zip(ids, sequences, strict=True):
            if len(sequence) != length:
                raise InputError(
                    f"record {name!r}: {len(sequence)} nt, but the model was trained on sequences of {length} nt"
                )
        if self.tokenizer is None:
            return one_hot(sequences)
        tokens = self.tokenize(sequences, ids).tokens.reshape(len(sequences), -1)
        return torch.from_numpy(tokens.astype(np.int64))

    def tokenize(self, sequences: Sequence[str], ids: Sequence[str]) -> TokenizedSequences:
        """Tokens of the encoder; InputError if a sequence is longer than it can read."""
        tokenized = self.tokenizer.encode(ids, sequences, "right")
        if tokenized.truncated.any():
            raise InputError(
                f"model {self.description['model']['title']!r} reads {self.description['model']['max_tokens']} tokens, "
                f"too few for {len(sequences[0])} nt: every position is to be predicted; raise max_tokens"
            )
        return tokenized


class Built(NamedTuple):
    """A model before its first step.

    model       its parameters that are to be trained require a gradient
    adapted     what `adapters.merge_lora` takes; None without LoRA
    parameters  total and trainable, as the polyadenylation study counts: the encoder's language-modelling head, which
                no prediction uses, included
    report      of `load.load_pretrained`, or None
    """

    model: ProfileModel
    adapted: "PeftModel | None"
    parameters: dict[str, int]
    report: dict[str, Any] | None


def build_profile_model(
    method: dict[str, Any],
    model: dict[str, Any] | None,
    *,
    tracks: Sequence[str],
    length: int,
    seed: int,
    checkpoint: Path | None = None,
) -> Built:
    """A new model of `method`; new weights are drawn from `seed`.

    Args:
        method: validated dict, see this module.
        model: that of the encoder, validated, see `models.spec`; None for networks without one.
        tracks: names of what is predicted.
        length: of the sequences, nt.
        seed: of all weights that do not come from `checkpoint`.
        checkpoint: directory of the encoder's published weights; None draws them, too.

    Raises:
        InputError: method and model do not fit each other, or the checkpoint does not fit the model.
    """
    check_profile_method(method, model)
    description = {
        "kind": KIND,
        "method": method,
        "model": model,
        "tracks": list(tracks),
        "length": length,
    }
    if model is None:
        network = _new(seed, lambda: _plain_network(method, len(tracks), length))
        return Built(
            ProfileModel(network, None, description), None, count_parameters(network), None
        )
    language_model, report = _language_model(model, checkpoint, seed)
    adapted = None
    if method["adaptation"] == "lora":
        from nucleotune.models.adapters import add_lora

        adapted = add_lora(language_model, model["lora_targets"], **method["lora"], seed=seed)
    else:
        language_model.requires_grad_(False)
    head = _new(seed, lambda: _head(method, model["architecture"]["hidden_size"], len(tracks)))
    sizes = [count_parameters(part) for part in (language_model, head)]
    parameters = {key: sum(size[key] for size in sizes) for key in ("total", "trainable")}
    tokenizer = make_tokenizer(model, checkpoint)
    network = _encoder_profile(method, model, language_model, head, tokenizer)
    return Built(ProfileModel(network, tokenizer, description), adapted, parameters, report)


def save_profile_model(directory: str | Path, model: ProfileModel) -> None:
    """Write a model directory, whole or not at all; every adapter must be merged.

    Another model directory is replaced; InputError if anything else is there (`files.new_directory`).
    """
    with new_directory(directory, DESCRIPTION) as temporary:
        write_weights(temporary, model.network)
        for name, text in (model.tokenizer.files if model.tokenizer else {}).items():
            (temporary / name).write_text(text)
        write_description(temporary, model.description)


def load_profile_model(directory: str | Path) -> ProfileModel:
    """Load a model directory: the network in evaluation mode on the CPU.

    Raises:
        InputError: it is none of a profile model, a file is missing or broken, or weights do not fit.
    """
    description = read_description(directory)
    if description.get("kind") != KIND:
        raise InputError(f"{directory}: a classifier, not a model of profiles")
    check_profile(directory, description)
    method, model, tracks = (description.get(key) for key in ("method", "model", "tracks"))
    tokenizer = None
    if model is None:
        network = _plain_network(method, len(tracks), description["length"])
    else:
        tokenizer = make_tokenizer(model, directory)
        head = _head(method, model["architecture"]["hidden_size"], len(tracks))
        language_model, _ = _language_model(model, None, seed=0)
        network = _encoder_profile(method, model, language_model, head, tokenizer)
    load_weights(network, directory)
    return ProfileModel(network.eval(), tokenizer, description)


def _new(seed: int, make: Any) -> nn.Module:
    """What `make` makes with weights drawn from `seed`; torch's own random state is kept."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def _language_model(
    model: dict[str, Any], checkpoint: Path | None, seed: int
) -> tuple[nn.Module, dict[str, Any] | None]:
    """The encoder, with its language-modelling head, and the report of `load.load_pretrained`."""
    # Here, because transformers takes longer to import than a network without encoder to be trained.
    from nucleotune.models.load import build_masked_lm, load_pretrained

    if checkpoint is None:
        return build_masked_lm(model, seed=seed), None
    return load_pretrained(model, checkpoint, seed=seed, head="masked_lm")


def _plain_network(method: dict[str, Any], tracks: int, length: int) -> nn.Module:
    if method["network"] == "average":
        return AverageProfile(tracks, length)
    return BPNet(tracks=tracks, **_dilated_sizes(method))


def _head(method: dict[str, Any], channels: int, tracks: int) -> nn.Module:
    if method["network"] == "encoder_conv":
        return ConvHead(channels, widths=tuple(method["sizes"]["widths"]), tracks=tracks)
    return DilatedHead(channels, tracks=tracks, **_dilated_sizes(method))


def _dilated_sizes(method: dict[str, Any]) -> dict[str, int]:
    return {
        key: method["sizes"][key] for key in ("filters", "layers", "first_kernel", "profile_kernel")
    }


def _encoder_profile(
    method: dict[str, Any],
    model: dict[str, Any],
    language_model: nn.Module,
    head: nn.Module,
    tokenizer: Tokenizer,
) -> EncoderProfile:
    return EncoderProfile(
        language_model.base_model,
        head,
        k=model["tokenizer"]["k"],
        leading=tokenizer.special_tokens - 1,
        faithful=method["faithful"],
    )
