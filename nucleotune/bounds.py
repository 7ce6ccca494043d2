"""How much a file that comes from others may take: size and time of a download, size when unpacked.

The workflow sets these from its configuration (block `download`) in the environment, so that every job and every
reader holds to them and a change of one makes nothing anew. Standard library only.
"""

import os
from collections.abc import Mapping

#: Key of the configuration's block `download` -> its default; generous, none of the public files comes near.
DEFAULTS = {"max_gb": 200.0, "max_hours": 48.0, "max_unpacked_gb": 1000.0}


def share_bounds(settings: Mapping[str, float]) -> None:
    """Hold this process and those that it starts to the block `download` of a configuration."""
    for key in DEFAULTS:
        os.environ[_variable(key)] = str(settings[key])


def most(key: str) -> float:
    """The value of a key of the block: GB (10^9 bytes) or hours."""
    return float(os.environ.get(_variable(key), DEFAULTS[key]))


def most_unpacked() -> float:
    """The most that one compressed file may unpack to, in bytes."""
    return most("max_unpacked_gb") * 1e9


def beyond(what: str, key: str, value: float) -> str:
    """The message for what goes beyond a bound, such as `larger than 200 GB, the most ...`."""
    unit = "hours" if key == "max_hours" else "GB"
    return f"{what} {value:.3g} {unit}, the most that download.{key} of the configuration allows"


def unpacks_to_too_much() -> str:
    """What is said of a file that unpacks to more than `most_unpacked`."""
    return beyond("unpacks to more than", "max_unpacked_gb", most("max_unpacked_gb"))


def _variable(key: str) -> str:
    return f"NUCLEOTUNE_{key.upper()}"
