"""Methods that a configuration asks for; standard library only."""

from collections.abc import Iterable, Mapping
from typing import Any


def method_keys(
    config: Mapping[str, Any], studies: Iterable[str] | None = None
) -> list[tuple[str, str]]:
    """Study and key of every list of methods in the configuration."""
    return [
        (study, key)
        for study in (config["studies"] if studies is None else studies)
        for key in config[study]
        if key == "methods" or key.endswith("_methods")
    ]


def asked_methods(config: Mapping[str, Any], studies: Iterable[str] | None = None) -> list[str]:
    """Methods that the configuration names for some studies (all of the run), each once."""
    return list(
        dict.fromkeys(name for s, key in method_keys(config, studies) for name in config[s][key])
    )
