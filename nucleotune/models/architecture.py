"""The sizes of an encoder: which fields each family has, their defaults, and what a published config.json says.

Standard library only: the Snakefile comes here when it validates model files.
"""

from collections.abc import Mapping
from typing import Any

from nucleotune.errors import InputError

_SIZES = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
)

#: Fields that a family cannot do without.
REQUIRED = {
    "bert": (*_SIZES, "max_position_embeddings"),
    "esm": (*_SIZES, "max_position_embeddings"),
    "dnabert2": _SIZES,
}

#: The other fields of a family with their defaults: those of transformers, which leaves a field that has its default
#: out of some config.json; for `dnabert2` those of DNABERT-2-117M.
DEFAULTS: dict[str, dict[str, Any]] = {
    "bert": {
        "type_vocab_size": 2,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
    },
    "esm": {
        "position_embedding_type": "absolute",
        "emb_layer_norm_before": False,
        "token_dropout": False,
        "layer_norm_eps": 1e-12,
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
    },
    "dnabert2": {
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.0,
    },
}

#: Fields by what they hold; all others are sizes.
_CHOICES = {
    "hidden_act": ("gelu", "gelu_new", "relu", "silu"),
    "position_embedding_type": ("absolute", "rotary"),
}
_SWITCHES = ("emb_layer_norm_before", "token_dropout")
_SHARES = ("layer_norm_eps", "hidden_dropout_prob", "attention_probs_dropout_prob")

#: No size of an encoder is larger: the widest of the largest language models have some ten thousand.
MOST_SIZE = 10_000_000

#: Fields of a published config.json in which a family has no choice. DNABERT-2 calls itself `bert` there.
FIXED: dict[str, dict[str, Any]] = {
    "bert": {"model_type": "bert", "position_embedding_type": "absolute"},
    "esm": {"model_type": "esm", "is_folding_model": False},
    "dnabert2": {"model_type": "bert", "hidden_act": "gelu"},
}

#: Dropouts are a choice of training, not a property of the weights: a model file may depart from the published ones.
_FREE = ("hidden_dropout_prob", "attention_probs_dropout_prob")


def resolve_architecture(family: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of `family` with its defaults filled in; a None counts as not given.

    Raises InputError naming fields that are missing, or that the family does not have.
    """
    given = {key: value for key, value in fields.items() if value is not None}
    foreign = sorted(given.keys() - {*REQUIRED[family], *DEFAULTS[family]})
    if foreign:
        raise InputError(
            f"architecture: family {family!r} has no field {', '.join(foreign)}; "
            f"it has {', '.join((*REQUIRED[family], *DEFAULTS[family]))}"
        )
    missing = [key for key in REQUIRED[family] if key not in given]
    if missing:
        raise InputError(f"architecture: family {family!r} needs {', '.join(missing)}")
    for key, value in given.items():
        _check_value(key, value)
    return {
        **{key: given[key] for key in REQUIRED[family]},
        **{key: given.get(key, default) for key, default in DEFAULTS[family].items()},
    }


def is_whole(value: Any, least: int, most: int) -> bool:
    """Whether `value` is a whole number within these bounds; true and false are none, nor is 16.0."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _check_value(key: str, value: Any) -> None:
    if key in _CHOICES:
        good = isinstance(value, str) and value in _CHOICES[key]
        expected = f"one of {', '.join(_CHOICES[key])}"
    elif key in _SWITCHES:
        good, expected = isinstance(value, bool), "true or false"
    elif key in _SHARES:
        good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
        expected = "a number from 0 to 1"
    else:
        good, expected = is_whole(value, 1, MOST_SIZE), f"a whole number from 1 to {MOST_SIZE:,}"
    if not good:
        raise InputError(f"architecture.{key}: expected {expected}, found {value!r:.80}")


def published_architecture(family: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `family` in a published config.json; all else in it (`auto_map`, task settings ...) is left.

    Raises InputError naming fields that are missing.
    """
    known = (*REQUIRED[family], *DEFAULTS[family])
    return resolve_architecture(family, {key: config[key] for key in known if key in config})


def contradictions(
    family: str, architecture: Mapping[str, Any], config: Mapping[str, Any]
) -> list[str]:
    """Lines `field: expected here, found there` where a published config.json departs from `architecture`.

    A field that it does not mention, or sets to null, is no contradiction.
    """
    expected = {**architecture, **FIXED[family]}
    return [
        f"{key}: expected {expected[key]!r}, found {config[key]!r}"
        for key in expected
        if key not in _FREE and config.get(key) is not None and config[key] != expected[key]
    ]
