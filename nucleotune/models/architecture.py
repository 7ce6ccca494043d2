"""The sizes of an encoder: what a model file or a published config.json says of the fields its family has.

Standard library only: the Snakefile comes here when it validates model files.
"""

from collections.abc import Mapping
from typing import Any

from nucleotune.errors import InputError
from nucleotune.models.families import FAMILIES
from nucleotune.models.families.base import Family

#: No size of an encoder is larger: the widest of the largest language models have some ten thousand.
MOST_SIZE = 10_000_000

#: Dropouts are a choice of training, not a property of the weights: a model file may depart from the published ones.
_FREE = ("hidden_dropout_prob", "attention_probs_dropout_prob")


def resolve_architecture(family: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of `family` with its defaults filled in; a None counts as not given.

    Raises InputError naming fields that are missing, or that the family does not have.
    """
    known = FAMILIES[family]
    given = {key: value for key, value in fields.items() if value is not None}
    foreign = sorted(given.keys() - set(known.fields))
    if foreign:
        raise InputError(
            f"architecture: family {family!r} has no field {', '.join(foreign)}; "
            f"it has {', '.join(known.fields)}"
        )
    missing = [key for key in known.required if key not in given]
    if missing:
        raise InputError(f"architecture: family {family!r} needs {', '.join(missing)}")
    for key, value in given.items():
        _check_value(known, key, value)
    return {key: given[key] if key in given else known.defaults[key] for key in known.fields}


def is_whole(value: Any, least: int, most: int) -> bool:
    """Whether `value` is a whole number within these bounds; true and false are none, nor is 16.0."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _check_value(family: Family, key: str, value: Any) -> None:
    default = family.defaults.get(key)
    if key in family.choices:
        good = isinstance(value, str) and value in family.choices[key]
        expected = f"one of {', '.join(family.choices[key])}"
    elif isinstance(default, bool):
        good, expected = isinstance(value, bool), "true or false"
    elif isinstance(default, float):
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
    return resolve_architecture(
        family, {key: config[key] for key in FAMILIES[family].fields if key in config}
    )


def contradictions(
    family: str, architecture: Mapping[str, Any], config: Mapping[str, Any]
) -> list[str]:
    """Lines `field: expected here, found there` where a published config.json departs from `architecture`.

    A field that it does not mention, or sets to null, is no contradiction.
    """
    expected = {**architecture, **FAMILIES[family].fixed}
    return [
        f"{key}: expected {expected[key]!r}, found {config[key]!r}"
        for key in expected
        if key not in _FREE and config.get(key) is not None and config[key] != expected[key]
    ]
