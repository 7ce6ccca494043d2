"""JSON Schemas of configuration and plug-in files (`schemas/`): defaults filled in, mistakes named.

Imported by the Snakefile: standard library, PyYAML and jsonschema only.
"""

import copy
import math
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from nucleotune.errors import InputError, did_you_mean
from nucleotune.sources.addresses import without_secrets
from nucleotune.stages import ROOT

SCHEMAS = ROOT / "schemas"


@cache
def read_schema(name: str) -> dict[str, Any]:
    """Read `schemas/<name>.schema.yaml`; once a process, and not to be changed by the caller."""
    text = (SCHEMAS / f"{name}.schema.yaml").read_text(encoding="utf-8")
    # Ours, so libyaml may read it: ten times as fast, and every start of the workflow reads all of them.
    schema = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return _resolved(schema, schema.pop("$defs", {}))


def _resolved(part: Any, shared: Mapping[str, Any]) -> Any:
    """A part of a schema with what its `$ref`s stand for; keys beside one have precedence."""
    if isinstance(part, list):
        return [_resolved(one, shared) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        name = part["$ref"].removeprefix("#/$defs/")
        part = {**shared[name], **{key: one for key, one in part.items() if key != "$ref"}}
    return {key: _resolved(one, shared) for key, one in part.items()}


def validate(
    value: Mapping[str, Any], schema: Mapping[str, Any], source: str | Path
) -> dict[str, Any]:
    """Return a copy of `value` with all defaults of the JSON Schema filled in.

    Raises InputError with one line for each mistake: `source`, the key, what was expected, and for an unknown key the
    nearest known one.
    """
    filled = _with_defaults(value, schema)
    unreal = [
        f"{source}: key {key!r}: {found} is not a number" for key, found in _not_finite(filled)
    ]
    if unreal:
        raise InputError("\n".join(f"{line}; expected a finite one" for line in unreal))
    errors = sorted(
        Draft202012Validator(schema).iter_errors(filled), key=lambda error: error.json_path
    )
    if errors:
        lines = [without_secrets(line) for error in errors for line in _describe(error)]
        raise InputError("\n".join(f"{source}: {line}" for line in lines))
    return filled


def _not_finite(value: Any, place: str = "") -> Iterator[tuple[str, float]]:
    """Key and value of every NaN and infinity, which no bound of a schema stops."""
    if isinstance(value, float) and not math.isfinite(value):
        yield place, value
    parts = value.items() if isinstance(value, Mapping) else ()
    parts = enumerate(value) if isinstance(value, list) else parts
    for key, part in parts:
        yield from _not_finite(part, f"{place}.{key}" if place else str(key))


def _with_defaults(value: Any, schema: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping) and "properties" in schema:
        filled = {
            key: _with_defaults(item, schema["properties"].get(key, {}))
            for key, item in value.items()
        }
        for key, part in schema["properties"].items():
            if key not in filled and "default" in part:
                filled[key] = _with_defaults(copy.deepcopy(part["default"]), part)
        return filled
    if isinstance(value, list) and "items" in schema:
        return [_with_defaults(item, schema["items"]) for item in value]
    return copy.deepcopy(value)


def _describe(error) -> Iterable[str]:
    place = ".".join(str(part) for part in error.absolute_path)
    if error.validator == "additionalProperties":
        known = list(error.schema["properties"])
        for key in sorted(set(error.instance) - set(known), key=str):
            hint = did_you_mean(str(key), list(known), f"known keys: {', '.join(known)}")
            yield f"unknown key {'.'.join(filter(None, (place, str(key))))!r}; {hint}"
    elif error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        yield f"key {'.'.join(filter(None, (place, missing[0])))!r} is required"
    else:
        yield f"key {place!r}: {error.message}"
