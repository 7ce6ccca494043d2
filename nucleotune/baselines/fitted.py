"""What a baseline has learnt, and its model directory: as enough to predict with as a language model's.

    model.safetensors   all arrays: weights, support vectors, frequencies, vocabularies
    nucleotune.json     kind `baseline`, its name, what else it needs, what the labels mean, versions, sha256

No pickles: a file from another machine runs no code.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors
import safetensors.numpy

from nucleotune.errors import InputError
from nucleotune.files import file_digest, new_directory, write_json
from nucleotune.models.names import BASELINE, DESCRIPTION, WEIGHTS

Score = Callable[[Sequence[str]], np.ndarray]
Arrays = Mapping[str, np.ndarray]


class Learnt(NamedTuple):
    """All that a baseline needs to score sequences.

    arrays    of numbers, by name
    settings  JSON values; `longest`, where it is there, is the number of nucleotides that the method reads of a
              sequence, `length` the one length that it takes
    """

    arrays: Arrays
    settings: dict[str, Any]


class Fitted(NamedTuple):
    """A fitted baseline: called with sequences, it returns their score (n,).

    The score is made of what was learnt alone, so that it is the same after saving and loading.
    """

    learnt: Learnt
    score: Score

    def __call__(self, sequences: Sequence[str]) -> np.ndarray:
        """Score of `sequences`, higher for label 1."""
        return self.score(sequences)


def text_array(words: Sequence[str]) -> np.ndarray:
    """Words without line ends as an array of bytes."""
    return np.frombuffer("\n".join(words).encode("utf-8"), dtype=np.uint8)


def array_text(array: np.ndarray) -> list[str]:
    """The words of `text_array`."""
    return array.tobytes().decode("utf-8").split("\n")


def save_learnt(directory: str | Path, learnt: Learnt, description: Mapping[str, Any]) -> None:
    """Write a model directory, whole or not at all; `description` holds what is to be known beside `learnt`.

    Another model directory is replaced; InputError if anything else is there (`files.new_directory`).
    """
    # safetensors takes the bytes of an array as they lie in memory.
    arrays = {name: np.asarray(array, order="C") for name, array in learnt.arrays.items()}
    with new_directory(directory, DESCRIPTION) as temporary:
        (temporary / WEIGHTS).write_bytes(safetensors.numpy.save(arrays))
        files = {WEIGHTS: file_digest(temporary / WEIGHTS)}
        write_json(
            temporary / DESCRIPTION,
            {"kind": BASELINE, **description, "settings": learnt.settings, "files": files},
        )


def load_learnt(directory: str | Path, description: Mapping[str, Any]) -> Learnt:
    """What `save_learnt` wrote, the description given as read.

    Raises InputError for a file that is missing or broken.
    """
    path = Path(directory) / WEIGHTS
    try:
        arrays = safetensors.numpy.load(path.read_bytes())
    except (safetensors.SafetensorError, OSError) as error:
        raise InputError(f"{path}: broken file ({error}); make or copy it again") from error
    if not isinstance(description.get("settings"), dict):
        raise InputError(f"{Path(directory) / DESCRIPTION}: no 'settings'; make or copy it again")
    return Learnt(arrays, description["settings"])
