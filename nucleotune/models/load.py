"""Build, load and save classifiers: stock transformers classes, safetensors weights, no remote code, no pickles.

Weights come from one of three places: a seed (`build_classifier`), a published language model's checkpoint directory
(`load_pretrained`), or a classifier that was trained here (`load_model`). The configuration is always built anew from
the model's dict, never read from a file beside the weights.

A model directory is enough to predict with on another machine:

    model.safetensors   every weight of encoder and head; a LoRA adapter is merged into them
    config.json         transformers' own description, so that `from_pretrained` loads the directory, too
    vocab.txt or tokenizer.json, tokenizer_config.json ...   the tokenizer's files
    nucleotune.json     resolved model and method, truncation side, meaning of the labels, library versions
    adapter/            after a LoRA training: adapter and head alone, for those who have the base (`models.adapters`)

`adapter/` is what one shares where the base is large or its licence forbids to pass it on: peft's own layout, with a
copy of nucleotune.json, which names the base and its sha256. Prediction does not read it: the merged weights are the
very ones that the predictions of the training were made with.
"""

import platform
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from transformers import (
    CONFIG_MAPPING,
    MODEL_FOR_MASKED_LM_MAPPING,
    MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
    AutoConfig,
    AutoModelForSequenceClassification,
    PreTrainedModel,
)

import nucleotune
from nucleotune.errors import InputError
from nucleotune.files import atomic_path, file_digest, read_json, write_json
from nucleotune.models.adapters import Adapter, save_adapter
from nucleotune.models.architecture import resolve_architecture
from nucleotune.models.dnabert2 import DnaBert2Config, DnaBert2ForSequenceClassification
from nucleotune.models.spec import check_model, padding_id
from nucleotune.models.tokenizers import Tokenizer

DESCRIPTION = "nucleotune.json"
WEIGHTS = "model.safetensors"
ADAPTER = "adapter"

AutoConfig.register(DnaBert2Config.model_type, DnaBert2Config)
AutoModelForSequenceClassification.register(DnaBert2Config, DnaBert2ForSequenceClassification)

#: The class of each kind of head, by the configuration's class.
HEADS = {
    "classification": MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
    "masked_lm": MODEL_FOR_MASKED_LM_MAPPING,
}

#: What a family's configuration says beside the model's `architecture`. Of `esm` it is Nucleotide Transformer's.
SETTINGS: dict[str, dict[str, Any]] = {
    "bert": {},
    "esm": {"mask_token_id": 2, "tie_word_embeddings": False},
    "dnabert2": {},
}

#: Parts of an encoder that a checkpoint may lack. The pooler serves the classifier only; ESM's contact head is read by
#: no forward pass, only by `predict_contacts`.
OPTIONAL_PARTS = ("pooler.", "contact_head.")

#: Ends of names in old checkpoints that are no weights but numbers the model computes.
COMPUTED = ("rotary_embeddings.inv_freq",)

#: Most weights that one error message names.
MOST_NAMES = 30


def build_classifier(
    model: dict[str, Any], *, seed: int, attention: str = "sdpa"
) -> PreTrainedModel:
    """A new two-label classifier of the given model, weights drawn from `seed`; torch's own random state is kept.

    Under `torch.device("meta")` only shapes are made.

    Args:
        model: validated dict, see `models.spec`.
        seed: of all weights.
        attention: `sdpa`, or `eager` where attention maps are wanted: with `sdpa`, transformers gives none.

    Raises:
        InputError: the model's fields disagree, or its parameters are not as many as `parameters` says.
    """
    classifier = _build(model, "classification", seed, attention)
    found = count_parameters(classifier)["total"]
    if model["parameters"] is not None and found != model["parameters"]:
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


def _build(model: dict[str, Any], head: str, seed: int, attention: str) -> PreTrainedModel:
    check_model(model)
    family = model["family"]
    config_class = CONFIG_MAPPING[family]
    model_class = HEADS[head].get(config_class, None)
    if model_class is None:
        raise InputError(f"model {model['title']!r}: family {family!r} has no {head} head here")
    config = config_class(
        **resolve_architecture(family, model["architecture"]),
        **SETTINGS[family],
        pad_token_id=padding_id(model),
        num_labels=2,
        attn_implementation=attention,
    )
    config.architectures = [model_class.__name__]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return model_class(config)


def count_parameters(module: torch.nn.Module) -> dict[str, int]:
    """Number of parameters: `total` and `trainable`; the copy that peft keeps of a head it trains is not counted."""
    sizes = [
        (parameter.numel(), parameter.requires_grad)
        for name, parameter in module.named_parameters()
        if ".original_module." not in name
    ]
    return {
        "total": sum(n for n, _ in sizes),
        "trainable": sum(n for n, trainable in sizes if trainable),
    }


def load_pretrained(
    model: dict[str, Any],
    checkpoint: str | Path,
    *,
    seed: int,
    head: str = "classification",
    attention: str = "sdpa",
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """A model whose encoder has the weights of a checkpoint directory, and a report on what came from where.

    transformers would fill whatever weight it misses with random numbers and only log it.

    Args:
        model: validated dict, see `models.spec`.
        checkpoint: holds `model.safetensors` with the published key names; keys without the family's prefix (`bert.`,
            `esm.`), as a bare encoder is saved, are understood, too.
        seed: of the new weights.
        head: `classification`: a new head with two labels, whatever heads the checkpoint has. `masked_lm`: the
            language model as it was published, its head included.
        attention: see `build_classifier`.

    Returns:
        The model, in training mode, and a dict of JSON values: `loaded` (number of weights), `new` (names of those
        drawn from `seed`) and `ignored` (names of those in the checkpoint that the model has no place for).

    Raises:
        InputError: as for `build_classifier`; the checkpoint is broken; weights of the encoder (or of the masked_lm
            head) are missing, superfluous or of another shape (lists them).
    """
    built = (build_classifier if head == "classification" else build_masked_lm)(
        model, seed=seed, attention=attention
    )
    source = Path(checkpoint) / WEIGHTS
    weights = _read_weights(source)
    prefix = f"{built.base_model_prefix}."
    if not any(name.startswith(prefix) for name in weights):
        weights = {prefix + name: tensor for name, tensor in weights.items()}
    optional = tuple(prefix + part for part in OPTIONAL_PARTS)
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
    _check_weights(
        source,
        missing={n for n in new if (whole or n.startswith(prefix)) and not n.startswith(optional)},
        unexpected={
            n
            for n in ignored
            if n.startswith(prefix) and not n.startswith(optional) and not n.endswith(COMPUTED)
        },
        own=own,
        weights=used,
    )
    built.load_state_dict(used, strict=False)
    return built, {"loaded": len(used), "new": sorted(new), "ignored": sorted(ignored)}


def library_versions() -> dict[str, str]:
    """Versions of what decides the numbers."""
    libraries = ("torch", "transformers", "peft", "numpy")
    return {
        "nucleotune": nucleotune.__version__,
        "python": platform.python_version(),
        **{name: version(name) for name in libraries},
    }


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
        directory: replaced if it is there.
        classifier: with every adapter merged.
        description: JSON values; must hold the resolved `model`.
        tokenizer: its files go along.
        adapter: what was merged, if anything.
    """
    weights = {
        name: tensor.detach().cpu().contiguous() for name, tensor in classifier.state_dict().items()
    }
    with atomic_path(directory) as temporary:
        temporary.mkdir()
        # Not save_file(): it makes the file readable by its owner alone, which a shared project folder is not.
        (temporary / WEIGHTS).write_bytes(
            safetensors.torch.save(weights, metadata={"format": "pt"})
        )
        classifier.config.to_json_file(temporary / "config.json", use_diff=False)
        for name, text in tokenizer.files.items():
            (temporary / name).write_text(text)
        write_json(temporary / DESCRIPTION, description)
        if adapter is not None:
            save_adapter(temporary / ADAPTER, adapter)
            write_json(temporary / ADAPTER / DESCRIPTION, description)


def load_model(
    directory: str | Path, *, attention: str = "sdpa"
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """Load a model directory: the classifier in evaluation mode on the CPU, and its description.

    Raises:
        InputError: a file is missing or broken, or weights are missing, superfluous or of another shape (lists them).
    """
    description = read_description(directory)
    classifier = build_classifier(description["model"], seed=0, attention=attention)
    load_weights(classifier, directory)
    return classifier.eval(), description


def load_weights(module: torch.nn.Module, directory: str | Path) -> None:
    """Give `module` the weights of a model directory, all of them and no others.

    Raises:
        InputError: the file is broken, or weights are missing, superfluous or of another shape (lists them).
    """
    source, own = Path(directory) / WEIGHTS, module.state_dict()
    weights = _read_weights(source)
    _check_weights(
        source,
        missing=own.keys() - weights.keys(),
        unexpected=weights.keys() - own.keys(),
        own=own,
        weights=weights,
    )
    module.load_state_dict(weights)


def read_description(directory: str | Path) -> dict[str, Any]:
    """The description in a model directory.

    Raises:
        InputError: it is not there, or the weights are not.
    """
    directory = Path(directory)
    for name in (DESCRIPTION, WEIGHTS):
        if not (directory / name).is_file():
            raise InputError(
                f"{directory}: no {name} there: not a model directory of nucleotune, or not a whole one"
            )
    return read_json(directory / DESCRIPTION)


#: Weights that `weights_kept` keeps, by file; None outside.
_kept: dict[Path, dict[str, torch.Tensor]] | None = None


@contextmanager
def weights_kept() -> Iterator[None]:
    """Within the block, a file of weights is read once, however many models start from it; it must not change."""
    global _kept
    _kept = {}
    try:
        yield
    finally:
        _kept = None


def _read_weights(path: Path) -> dict[str, torch.Tensor]:
    """All tensors of a safetensors file."""
    if _kept is not None and path in _kept:
        return _kept[path]
    weights = _read_safetensors(path)
    if _kept is not None:
        _kept[path] = weights
    return weights


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    if not path.is_file():
        raise InputError(f"{path}: no such file; make or copy the directory again")
    try:
        return safetensors.torch.load_file(path)
    except safetensors.SafetensorError as error:
        raise InputError(f"{path}: broken file ({error}); make or copy it again") from error


def _check_weights(
    source: Path,
    *,
    missing: Collection[str],
    unexpected: Collection[str],
    own: dict[str, torch.Tensor],
    weights: dict[str, torch.Tensor],
) -> None:
    """Raise InputError if `missing` or `unexpected` names anything, or shapes of `weights` are not those of `own`."""
    shapes = {
        f"{name} {tuple(weights[name].shape)} where the model has {tuple(own[name].shape)}"
        for name in own.keys() & weights.keys()
        if own[name].shape != weights[name].shape
    }
    problems = {"missing": missing, "unexpected": unexpected, "of another shape": shapes}
    if any(problems.values()):
        lists = "; ".join(
            f"{kind} ({len(names)}): {_first(names)}" for kind, names in problems.items() if names
        )
        raise InputError(
            f"{source}: weights do not fit the model's family and architecture. {lists}"
        )


def _first(names: Collection[str]) -> str:
    """The first of `names`, sorted, and how many there are besides."""
    text = ", ".join(sorted(names)[:MOST_NAMES])
    return text if len(names) <= MOST_NAMES else f"{text} and {len(names) - MOST_NAMES} more"


def weights_digest(directory: str | Path) -> str:
    """sha256 of the weights in a model or checkpoint directory."""
    return file_digest(Path(directory) / WEIGHTS)
