"""Build, load and save classifiers: stock transformers classes, safetensors weights, no remote code, no pickles.

Weights come from one of three places: a seed (`build_classifier`), a published language model's checkpoint directory
(`load_pretrained`), or a classifier that was trained here (`load_model`). The configuration is always built anew from
the model's dict, never read from a file beside the weights.

A model directory is enough to predict with on another machine:

    model.safetensors   every weight of encoder and head; a LoRA adapter is merged into them
    config.json         transformers' own description, so that `from_pretrained` loads the directory, too
    vocab.txt or tokenizer.json, tokenizer_config.json ...   the tokenizer's files
    nucleotune.json     kind of labels, what each output means, resolved model and method, truncation side, library
                        versions; of numbers also their scale
    adapter/            after a LoRA training: adapter and head alone, for those who have the base (`models.adapters`)

`adapter/` is what one shares where the base is large or its licence forbids to pass it on: peft's own layout, with a
copy of nucleotune.json, which names the base and its sha256. Prediction does not read it: the merged weights are the
very ones that the predictions of the training were made with.
"""

from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from nucleotune.errors import InputError
from nucleotune.files import new_directory, write_json
from nucleotune.models.adapters import Adapter, heads_in_fp32, save_adapter
from nucleotune.models.architecture import resolve_architecture
from nucleotune.models.description import (
    check_classifier,
    check_fits,
    encoder_weights,
    head_of,
)
from nucleotune.models.families import FAMILIES
from nucleotune.models.padding import SDPA
from nucleotune.models.probe import Probe
from nucleotune.models.spec import check_model, padding_id
from nucleotune.models.tokenizers import Tokenizer
from nucleotune.models.weights import (
    DESCRIPTION,
    WEIGHTS,
    check_weights,
    count_parameters,
    load_weights,
    read_description,
    read_weights,
    write_description,
    write_weights,
)

ADAPTER = "adapter"


def build_classifier(
    model: dict[str, Any], *, seed: int, outputs: int = 2, attention: str = "sdpa"
) -> PreTrainedModel:
    """A new classifier of the given model, weights drawn from `seed`; torch's own random state is kept.

    Under `torch.device("meta")` only shapes are made.

    Args:
        model: validated dict, see `models.spec`.
        seed: of all weights.
        outputs: numbers that its head gives of a sequence.
        attention: `sdpa`, or `eager` where attention maps are wanted: with `sdpa`, transformers gives none.

    Raises:
        InputError: the model's fields disagree, or its parameters are not as many as `parameters` says.
    """
    classifier = heads_in_fp32(_build(model, "classification", seed, attention, outputs))
    found = count_parameters(classifier)["total"]
    if model.get("parameters") not in (None, found):
        raise InputError(
            f"model {model['title']!r}: its architecture has {found:,} parameters, but `parameters` says "
            f"{model['parameters']:,}; correct the one that is wrong (or set parameters: null)"
        )
    return classifier


def build_masked_lm(
    model: dict[str, Any], *, seed: int, attention: str = "sdpa"
) -> PreTrainedModel:
    """The same encoder with its language-model head, as it is pre-trained; else like `build_classifier`.

    Raises:
        InputError: the model's fields disagree, or its family has no such head here.
    """
    return _build(model, "masked_lm", seed, attention)


def _build(
    model: dict[str, Any], head: str, seed: int, attention: str, outputs: int = 2
) -> PreTrainedModel:
    check_model(model)
    family = FAMILIES[model["family"]]
    classes = family.classes()
    model_class = getattr(classes, head)
    if model_class is None:
        raise InputError(
            f"model {model['title']!r}: family {family.name!r} has no {head} head here"
        )
    config = classes.config(
        **resolve_architecture(family.name, model["architecture"]),
        **family.settings,
        pad_token_id=padding_id(model),
        num_labels=outputs,
        attn_implementation=SDPA if attention == "sdpa" else attention,
    )
    config.architectures = [model_class.__name__]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return model_class(config)


def load_pretrained(
    model: dict[str, Any],
    checkpoint: str | Path,
    *,
    seed: int,
    head: str = "classification",
    outputs: int = 2,
    attention: str = "sdpa",
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """A model whose encoder has the weights of a checkpoint directory, and a report on what came from where.

    transformers would fill whatever weight it misses with random numbers and only log it.

    Args:
        model: validated dict, see `models.spec`.
        checkpoint: holds `model.safetensors` with the published key names; keys without the family's prefix (`bert.`,
            `esm.`), as a bare encoder is saved, are understood, too.
        seed: of the new weights.
        head: `classification`: a new head with so many `outputs`, whatever heads the checkpoint has. `masked_lm`: the
            language model as it was published, its head included.
        outputs: see `build_classifier`.
        attention: see `build_classifier`.

    Returns:
        The model, in training mode, and a dict of JSON values: `loaded` (number of weights), `new` (names of those
        drawn from `seed`) and `ignored` (names of those in the checkpoint that the model has no place for).

    Raises:
        InputError: as for `build_classifier`; the checkpoint is broken; weights of the encoder (or of the masked_lm
            head) are missing, superfluous or of another shape (lists them).
    """
    source = Path(checkpoint) / WEIGHTS
    if model["architecture"] is not None:
        check_fits(source, encoder_weights(model))
    if head == "classification":
        built = build_classifier(model, seed=seed, outputs=outputs, attention=attention)
    else:
        built = build_masked_lm(model, seed=seed, attention=attention)
    weights = read_weights(source)
    prefix = f"{built.base_model_prefix}."
    if not any(name.startswith(prefix) for name in weights):
        weights = {prefix + name: tensor for name, tensor in weights.items()}
    family = FAMILIES[model["family"]]
    optional = tuple(prefix + part for part in family.optional)
    own = built.state_dict()
    whole = head == "masked_lm"
    used = {
        name: tensor
        for name, tensor in weights.items()
        if name in own and (whole or name.startswith(prefix))
    }
    # By address: a tied weight (the decoder's matrix is the embedding) is there as soon as one of its names is.
    filled = {own[name].data_ptr() for name in used}
    new = {name for name, tensor in own.items() if tensor.data_ptr() not in filled}
    ignored = weights.keys() - used.keys()
    check_weights(
        source,
        missing={n for n in new if (whole or n.startswith(prefix)) and not n.startswith(optional)},
        unexpected={
            n
            for n in ignored
            if n.startswith(prefix)
            and not n.startswith(optional)
            and not n.endswith(family.computed)
        },
        own=own,
        weights=used,
    )
    built.load_state_dict(used, strict=False)
    return built, {"loaded": len(used), "new": sorted(new), "ignored": sorted(ignored)}


def save_model(
    directory: str | Path,
    classifier: PreTrainedModel,
    description: dict[str, Any],
    *,
    tokenizer: Tokenizer,
    adapter: Adapter | None = None,
) -> None:
    """Write a model directory, whole or not at all.

    Args:
        directory: see `files.new_directory`: another model directory is replaced, nothing else.
        classifier: with every adapter merged.
        description: JSON values; must hold the resolved `model`.
        tokenizer: its files go along.
        adapter: what was merged, if anything.

    Raises:
        InputError: something else is at `directory`.
    """
    with new_directory(directory, DESCRIPTION) as temporary:
        write_weights(temporary, classifier, {"format": "pt"})
        classifier.config.to_json_file(temporary / "config.json", use_diff=False)
        for name, text in tokenizer.files.items():
            (temporary / name).write_text(text)
        write_description(temporary, description)
        if adapter is not None:
            save_adapter(temporary / ADAPTER, adapter)
            write_json(temporary / ADAPTER / DESCRIPTION, description)


def load_model(
    directory: str | Path, *, attention: str = "sdpa"
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """Load a model directory: the classifier in evaluation mode on the CPU, and its description.

    That of a probe is a `models.probe.Probe`.

    Raises:
        InputError: a file is missing or broken, or weights are missing, superfluous or of another shape (lists them).
    """
    description = read_description(directory)
    check_classifier(directory, description)
    try:
        classifier = build_classifier(
            description["model"], seed=0, outputs=head_of(description).outputs, attention=attention
        )
    except InputError as error:
        raise InputError(f"{Path(directory) / DESCRIPTION}: {error}") from None
    method = description.get("method")
    if isinstance(method, dict) and method.get("adaptation") == "probe":
        classifier = Probe(classifier)
    load_weights(classifier, directory)
    return classifier.eval(), description
