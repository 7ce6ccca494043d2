"""Search spaces of hyper-parameters: what may be searched, checked before the first job, and which search found what.

A space is a mapping from a key of the method, dots between levels, to what it may be:

    training.learning_rate: {low: 1.0e-5, high: 1.0e-2, log: true}     a number; `log`: drawn on a log scale
    sizes.layers: {low: 4, high: 12}                                   whole where both ends are
    sizes.widths: [[512, 256, 128], [256, 128]]                        one of these

Also read by the Snakefile: standard library, PyYAML and jsonschema only.
"""

import copy
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nucleotune.errors import InputError
from nucleotune.files import read_json
from nucleotune.schemas import read_schema, validate

Space = Mapping[str, Any]

#: Sizes that a network has; the other keys of `sizes` do not change it.
_DILATED = ("filters", "layers", "first_kernel", "profile_kernel")
SIZES = {"bpnet": _DILATED, "encoder_dilated": _DILATED, "encoder_conv": ("widths",)}

#: Keys of `training` that change no result.
_IDLE = ("save_minutes",)

EXAMPLE = (
    "polya: {tune: {space: {bpnet: {training.learning_rate: {low: 1.0e-4, high: 1.0e-2, log: true},"
    " sizes.filters: [32, 64]}}}}"
)


def check_space(space: Space, method: Mapping[str, Any], source: str) -> None:
    """Check the search space of a profile method.

    Args:
        space: see this module.
        method: validated dict of kind profile_model.
        source: file and key, for messages.

    Raises:
        InputError: the method is not trained, the space is empty, a key is not of `training` or of the network's
            `sizes`, or a value is none that the method may have there.
    """
    if method["network"] not in SIZES:
        raise InputError(f"{source}: network {method['network']!r} is not trained: leave it out")
    if not space:
        raise InputError(f"{source}: empty; expected keys and their values, such as {EXAMPLE}")
    known = [f"sizes.{name}" for name in SIZES[method["network"]]]
    known += [f"training.{name}" for name in method["training"] if name not in _IDLE]
    for key, values in space.items():
        if key not in known:
            raise InputError(
                f"{source}: {key!r} cannot be searched for network {method['network']!r}; expected one of"
                f" {', '.join(known)}"
            )
        place = f"{source}: {key}"
        for value in ends_or_choices(values, place):
            validate(
                with_parameters(method, {key: value}),
                read_schema("profile_model"),
                f"{place}: {value!r}",
            )


def ends_or_choices(values: Any, place: str) -> list[Any]:
    """All choices, or both ends of a range. Raises InputError for anything else."""
    if isinstance(values, list) and values:
        return values
    if isinstance(values, Mapping) and {"low", "high"} <= values.keys() <= {"low", "high", "log"}:
        low, high, log = values["low"], values["high"], values.get("log", False)
        numbers = all(
            isinstance(end, int | float) and not isinstance(end, bool) for end in (low, high)
        )
        if numbers and low < high and (low > 0 or not log) and isinstance(log, bool):
            return [low, high]
    raise InputError(
        f"{place}: expected a list of values, or numbers low < high (and log: true, above 0), found {values!r}"
    )


def read_search(path: str | Path, settings: str) -> dict[str, Any] | None:
    """What a search has found, the content of its best.json; None where there is none, or it is of other settings."""
    path = Path(path)
    best = read_json(path) if path.is_file() else {}
    return best if best.get("settings") == settings else None


def with_parameters(method: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `method` with the values of `parameters`, whose keys have dots between levels.

    Raises InputError for a key that the method does not have.
    """
    changed = copy.deepcopy(dict(method))
    for key, value in parameters.items():
        *blocks, last = key.split(".")
        place = changed
        for block in blocks:
            place = place.get(block) if isinstance(place, dict) else None
        if not isinstance(place, dict) or last not in place:
            raise InputError(f"search space: the method has no key {key!r}")
        place[last] = value
    return changed


def settings_digest(
    method: Mapping[str, Any], model: Mapping[str, Any] | None, space: Space, seed: int
) -> str:
    """sha256 of what a search on given examples rests on: method without the values that are searched, encoder, space.

    Examples have their own (`profile_contracts.examples_digest`).
    """
    fixed = with_parameters(method, dict.fromkeys(space))
    settings = {"method": fixed, "model": model, "space": dict(space), "seed": seed}
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
