"""The configuration reference in docs/, written from the schemas: `python -m nucleotune.config_reference`."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from nucleotune.schemas import read_schema

#: Schema name -> where its keys belong.
SECTIONS = {
    "config": "A run (`--configfile`)",
    "species": "`config/species/<name>.yaml`",
    "collection": "`config/collections/<name>.yaml`",
    "model": "`config/models/<name>.yaml`",
    "task": "`config/tasks/<name>.yaml`",
    "language_model": "`config/methods/<name>.yaml`, kind `language_model`",
    "baseline": "`config/methods/<name>.yaml`, kind `baseline`",
    "profile_model": "`config/methods/<name>.yaml`, kind `profile_model`",
}

HEAD = """# Configuration reference

Generated from `schemas/` by `make docs`; do not edit. Unknown keys are errors, and every file is checked before the
first job starts. Keys that a file leaves out keep their defaults: methods that need neither GPU nor download, and the
shipped toy data if no species or collection is named. If there are several files after `--configfile`, a later one
replaces the lists of earlier ones and merges its mappings into theirs. Without `--configfile` the demo runs
(`config/demo.yaml`); its settings apply to no other run.
"""


def render() -> str:
    """The whole reference as Markdown: one table a schema, one row per key."""
    parts = [HEAD]
    for name, place in SECTIONS.items():
        schema = read_schema(name)
        parts.append(f"## {place}\n\n| key | type | default | meaning |\n|---|---|---|---|")
        parts.append("\n".join(_row(*entry) for entry in keys(schema)) + "\n")
    return "\n".join(parts)


def keys(
    schema: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Yield (dotted key, its schema, required) of all keys, nested ones below their parent."""
    for key, part in schema.get("properties", {}).items():
        yield f"{prefix}{key}", part, key in schema.get("required", ())
        items = part.get("items", {})
        yield from keys(part, f"{prefix}{key}.")
        yield from keys(items, f"{prefix}{key}[].")


def _row(key: str, part: Mapping[str, Any], required: bool) -> str:
    if required:
        default = "required"
    elif "default" not in part:
        default = ""
    else:
        default = f"`{json.dumps(part['default'])}`" if part["default"] != {} else "see below"
    cells = (f"`{key}`", _type(part), default, " ".join(part.get("description", "").split()))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _type(part: Mapping[str, Any]) -> str:
    if "const" in part:
        return f"`{part['const']}`"
    if "enum" in part:
        return " or ".join(f"`{value}`" for value in part["enum"])
    kinds = part.get("type", "any")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    words = {"object": "mapping", "array": "list", "null": "null"}
    text = " or ".join(words.get(kind, kind) for kind in kinds)
    if "array" in kinds and "items" in part:
        text = text.replace("list", f"list of {_type(part['items'])}")
    return text


if __name__ == "__main__":
    print(render(), end="")
