"""What a model directory's nucleotune.json says, looked at before anything is built from it.

Others' model directories come from other machines: a number of layers that is a text, or a width that no weight beside
it has, would end in the depths of a library, or take all memory, before anything was compared.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import safetensors

from nucleotune.errors import InputError
from nucleotune.models.architecture import is_whole
from nucleotune.models.families import FAMILIES
from nucleotune.models.spec import (
    LONG,
    MOST_OVERLAP,
    POOLINGS,
    TOKENIZER_KINDS,
    check_model,
    has_windows,
)
from nucleotune.models.weights import DESCRIPTION, WEIGHTS
from nucleotune.sequence.kmers import TRUNCATIONS
from nucleotune.sequence.views import VIEWS

#: More than any network of ours has, and few enough to be multiplied in int64.
MOST = 2**31 - 1

#: Weights that a model may have beyond its file's by our reckoning: a new head, norms.
_SLACK = 1_000_000

#: Kinds of labels of a classifier (`nucleotune.tasks`).
CLASSIFIED = ("classes", "labels", "numbers")

Check = Callable[[Any], bool]


class Head(NamedTuple):
    """What a classifier's outputs are: kind of labels, and names of classes, labels or targets (of two classes maybe
    none).
    """

    task: str
    names: tuple[str, ...]

    @property
    def outputs(self) -> int:
        """Numbers that it gives of a sequence."""
        return len(self.names) or 2


def head_of(description: Mapping[str, Any]) -> Head:
    """The head of a classifier from its description; one that does not name its kind is of classes."""
    labels = description.get("labels", {})
    names = tuple(labels[str(i)] for i in range(len(labels)))
    return Head(description.get("task", "classes"), names)


def _whole(value: Any) -> bool:
    return is_whole(value, 1, MOST)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and value != [] and all(map(_text, value))


def _mapping(value: Any) -> bool:
    return isinstance(value, dict)


#: Key -> what it must be, and how that is called. A key of a mapping stands behind it.
_MODEL: dict[str, tuple[Check, str]] = {
    "model": (_mapping, "a mapping"),
    "model.title": (_text, "a text"),
    "model.family": (lambda value: value in FAMILIES, f"one of {', '.join(FAMILIES)}"),
    "model.tokenizer": (_mapping, "a mapping"),
    "model.tokenizer.kind": (
        lambda value: value in TOKENIZER_KINDS,
        f"one of {', '.join(TOKENIZER_KINDS)}",
    ),
    "model.max_tokens": (_whole, "a whole number from 1"),
    "model.architecture": (_mapping, "a mapping"),
}
_CLASSIFIER: dict[str, tuple[Check, str]] = {
    "truncation": (lambda value: value in TRUNCATIONS, f"one of {', '.join(TRUNCATIONS)}"),
    "method": (_mapping, "a mapping"),
    "method.view": (lambda value: value in VIEWS, f"one of {', '.join(VIEWS)}"),
    "method.training": (_mapping, "a mapping"),
    "method.training.micro_batch_tokens": (_whole, "a whole number from 1"),
}
#: Of a method that reads long sequences in windows.
_WINDOWS: dict[str, tuple[Check, str]] = {
    "method.window_overlap": (
        lambda value: isinstance(value, int | float) and 0 <= value <= MOST_OVERLAP,
        f"a number from 0 to {MOST_OVERLAP}",
    ),
    "method.window_pooling": (lambda value: value in POOLINGS, f"one of {', '.join(POOLINGS)}"),
}
_SIZES = ("filters", "layers", "first_kernel", "profile_kernel")
_PROFILE: dict[str, tuple[Check, str]] = {
    "tracks": (_texts, "a list of texts"),
    "length": (_whole, "a whole number from 1"),
    "method": (_mapping, "a mapping"),
    "method.network": (_text, "a text"),
    "method.sizes": (_mapping, "a mapping"),
}
#: Network -> its sizes; of `widths` all are whole numbers.
_NETWORKS: dict[str, tuple[str, ...]] = {
    "average": (),
    "bpnet": _SIZES,
    "encoder_dilated": _SIZES,
    "encoder_conv": ("widths",),
}


def check_classifier(
    directory: str | Path, description: Mapping[str, Any], *, to_predict: bool = False
) -> None:
    """Raise InputError unless a classifier can be built from its description, and be filled by the weights beside it.

    to_predict: also what new sequences are read by.
    """
    path = Path(directory) / DESCRIPTION
    _check(path, description, _MODEL | (_CLASSIFIER if to_predict else {}))
    if to_predict and "long" in description["method"]:
        _check(path, description, {"method.long": (LONG.__contains__, f"one of {', '.join(LONG)}")})
        _check(path, description, _WINDOWS if has_windows(description["method"]) else {})
    _check_head(path, description)
    _check_encoder(path, description["model"])
    check_fits(Path(directory) / WEIGHTS, encoder_weights(description["model"]))


def check_profile(directory: str | Path, description: Mapping[str, Any]) -> None:
    """The same of a model of profiles."""
    path = Path(directory) / DESCRIPTION
    _check(path, description, _PROFILE)
    method, model = description["method"], description.get("model")
    network, sizes = method["network"], method["sizes"]
    if network not in _NETWORKS:
        raise InputError(
            f"{path}: method.network: {network!r}; expected one of {', '.join(_NETWORKS)}"
        )
    if (model is None) == network.startswith("encoder"):
        raise InputError(f"{path}: network {network!r} and model {model!r:.40} do not fit together")
    fields = {
        f"method.sizes.{key}": (_whole, "a whole number from 1") for key in _NETWORKS[network]
    }
    if network == "encoder_conv":
        fields = {
            "method.sizes.widths": (
                lambda value: isinstance(value, list) and value != [] and all(map(_whole, value)),
                "a list of whole numbers from 1",
            )
        }
    if model is not None:
        fields |= _MODEL | {
            "method.faithful": (lambda value: isinstance(value, bool), "true or false")
        }
    _check(path, description, fields)
    channels, least = 4, 0
    if model is not None:
        _check_encoder(path, model)
        channels, least = model["architecture"]["hidden_size"], encoder_weights(model)
    tracks = len(description["tracks"])
    if network == "average":
        least += tracks * description["length"]
    elif network == "encoder_conv":
        widths = [channels, *sizes["widths"], tracks]
        least += sum(3 * one * other for one, other in zip(widths, widths[1:], strict=False))
    else:
        filters = sizes["filters"]
        least += sizes["first_kernel"] * channels * filters + sizes["layers"] * 3 * filters**2
        least += sizes["profile_kernel"] * filters * tracks
    check_fits(Path(directory) / WEIGHTS, least)


def check_fits(weights: Path, least: int) -> None:
    """Raise InputError where a file of weights has far fewer than the `least` that a model of these sizes has."""
    found = 0
    if weights.is_file():
        try:
            with safetensors.safe_open(weights, "pt") as file:
                found = sum(math.prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118
        except (safetensors.SafetensorError, OSError) as error:
            raise InputError(f"{weights}: broken file ({error}); make or copy it again") from error
        if least > found + _SLACK:
            raise InputError(
                f"{weights}: {found:,} weights, but a model of the sizes in its description has at least {least:,};"
                " make or copy the directory again"
            )


def _check(
    path: Path, description: Mapping[str, Any], fields: Mapping[str, tuple[Check, str]]
) -> None:
    for key, (valid, expected) in fields.items():
        value: Any = description
        for part in key.split("."):
            if part not in value:
                raise InputError(f"{path}: no {key!r}; make or copy the model directory again")
            value = value[part]
        try:
            good = valid(value)
        except TypeError:  # a list or mapping where one of some names is expected
            good = False
        if not good:
            raise InputError(f"{path}: {key}: expected {expected}, found {value!r:.80}")


def _check_head(path: Path, description: Mapping[str, Any]) -> None:
    task, labels = description.get("task", "classes"), description.get("labels", {})
    if task not in CLASSIFIED:
        raise InputError(
            f"{path}: task: expected one of {', '.join(CLASSIFIED)}, found {task!r:.80}"
        )
    if (
        not isinstance(labels, dict)
        or set(labels) != {str(i) for i in range(len(labels))}
        or not all(map(_text, labels.values()))
        or len(set(labels.values())) < len(labels)
        or (len(labels) == 1 if task == "classes" else not labels)
    ):
        raise InputError(
            f"{path}: labels: expected the names of outputs 0, 1, ... of {task}, found {labels!r:.80}"
        )
    if task == "numbers":
        scale = description.get("scale")
        parts = [scale.get(key) for key in ("mean", "sd")] if isinstance(scale, dict) else [None]
        if not all(
            isinstance(part, list)
            and len(part) == len(labels)
            and all(isinstance(x, int | float) and math.isfinite(x) for x in part)
            for part in parts
        ) or not all(sd > 0 for sd in parts[1]):
            raise InputError(
                f"{path}: scale: expected a mean and an sd above 0 for each of {', '.join(labels.values())}, found"
                f" {scale!r:.80}"
            )


def _check_encoder(path: Path, model: dict[str, Any]) -> None:
    tokenizer = model["tokenizer"]
    for key, value, good in (
        ("tokenizer.k", tokenizer.get("k"), lambda value: is_whole(value, 3, 6)),
        ("tokenizer.species", tokenizer.get("species"), _text),
        ("parameters", model.get("parameters"), _whole),
    ):
        if value is not None and not good(value):
            raise InputError(f"{path}: model.{key}: {value!r:.80} is not possible")
    try:
        check_model(model)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def encoder_weights(model: Mapping[str, Any]) -> int:
    """Weights of the matrices of an encoder, fewer than it has."""
    sizes = model["architecture"]
    hidden = sizes["hidden_size"]
    layer = 4 * hidden**2 + 2 * hidden * sizes["intermediate_size"]
    rows = sizes["vocab_size"]
    if sizes.get("position_embedding_type") != "rotary":  # which are computed
        rows += sizes.get("max_position_embeddings") or 0
    return sizes["num_hidden_layers"] * layer + rows * hidden
