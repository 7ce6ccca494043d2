"""Reading one YAML mapping of a user's: what the library lets pass, or stumbles over, named with its line."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from nucleotune.errors import InputError
from nucleotune.text import read_text

#: Values that a file may stand for when its aliases are written out; a real one has some hundreds.
MOST_VALUES = 200_000
#: Levels of lists and mappings in each other; ours have six.
MOST_LEVELS = 50

_TOO_DEEP = f"brackets or indented blocks more than {MOST_LEVELS} levels deep"


class _Loader(yaml.SafeLoader):
    """YAML in which a key given twice is an error instead of a silent overwrite, and so is whatever is no value."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep=deep)
        except (InputError, yaml.YAMLError, RecursionError):
            raise
        except Exception as error:  # dates, numbers and tags fail in their own ways
            raise InputError(
                f"line {_line(node)}: not a value: {str(node.value)[:40]!r} ({error}); quote it if it is text"
            ) from error


def _unique_mapping(loader: _Loader, node: yaml.Node) -> dict:
    if not isinstance(node, yaml.MappingNode):
        raise InputError(f"line {_line(node)}: tagged as a mapping, but it is none")
    seen = set()
    for key_node, _ in node.value:
        if key_node.tag == "tag:yaml.org,2002:merge":  # `<<: *alias`; own keys have precedence
            continue
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, Hashable):
            raise InputError(f"line {_line(key_node)}: a list or mapping as a key; expected a name")
        if key in seen:
            raise InputError(f"key {key!r} is given twice (line {_line(key_node)})")
        seen.add(key)
    return loader.construct_mapping(node)


_Loader.add_constructor("tag:yaml.org,2002:map", _unique_mapping)


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read one YAML mapping; InputError names the file and line of a mistake."""
    text = read_text(path)
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is not None:
            _count_values(node, {})
        value = None if node is None else loader.construct_document(node)
    except yaml.YAMLError as error:
        # Without the piece of the file that the error shows: it may hold a password.
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        where = f" (line {mark.line + 1})" if mark else ""
        problem = problem or getattr(error, "reason", "no text")
        raise InputError(f"{path}: not valid YAML: {problem}{where}") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except RecursionError as error:
        raise InputError(f"{path}: {_TOO_DEEP}") from error
    finally:
        if loader is not None:
            loader.dispose()
    if not isinstance(value, dict):
        raise InputError(
            f"{path}: expected a mapping of keys to values, found {type(value).__name__}"
        )
    return value


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def _count_values(node: yaml.Node, known: dict[int, int | None], level: int = 0) -> int:
    """Values that `node` stands for, aliases written out; copies of a small file would otherwise fill the memory."""
    found = known.get(id(node), 0)
    if found is None:
        raise InputError(f"line {_line(node)}: this value contains itself by an alias")
    if found or isinstance(node, yaml.ScalarNode):
        return found or 1
    if level > MOST_LEVELS:
        raise InputError(f"line {_line(node)}: {_TOO_DEEP}")
    known[id(node)] = None
    parts = node.value
    if isinstance(node, yaml.MappingNode):
        parts = [part for pair in node.value for part in pair]
    total = 1 + sum(_count_values(part, known, level + 1) for part in parts)
    if total > MOST_VALUES:
        raise InputError(
            f"line {_line(node)}: its aliases stand for {total:,} values; expected {MOST_VALUES:,} at most"
        )
    known[id(node)] = total
    return total
