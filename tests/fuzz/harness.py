"""Random inputs for the readers of outside text, and what each of them must become.

A reader is a `Case`: it makes an input, reads it, and reads it again in a slow and obvious way of its own (the oracle).
Whatever the input, the reader may do two things: return what the oracle finds, or raise an InputError that names the
file. Anything else is a failure, which `run_case` reports with the seed and leaves on disk to be looked at.
"""

import os
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nucleotune.errors import InputError


class _Marker:
    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


#: The oracle's verdict on an input that a reader must refuse.
REFUSED = _Marker("REFUSED")
#: The oracle's verdict where it does not know better than the reader: only the kind of exception is looked at.
UNDECIDED = _Marker("UNDECIDED")

#: The content of a file, or of the files of a folder by their names in it.
Input = bytes | dict[str, bytes]


@dataclass(frozen=True)
class Case:
    """One reader under test.

    name        of the reader, as the report calls it
    generate    an input, from random numbers: mostly valid, some of it not
    run         what the reader makes of the file (of the folder, where there are several) at a path, as plain lists,
                dicts, texts and numbers
    oracle      the same from the content, or REFUSED, or UNDECIDED; it shares no code with the reader
    piped       whether the reader takes a pipe: then some inputs come through one
    """

    name: str
    generate: Callable[[random.Random], Input]
    run: Callable[[Path], Any]
    oracle: Callable[[Any], Any]
    piped: bool = True


#: Share of inputs that come through a pipe; what fits in a pipe's buffer needs no second thread.
_PIPED, _PIPE_BUFFER = 0.1, 1 << 16


class Failure(AssertionError):
    """A reader that did what it must not."""


def run_case(case: Case, n: int, seed: int) -> Counter:
    """Give a reader `n` inputs; return how many were accepted, refused and undecided.

    Raises Failure at the first input that the reader fails on, which stays in a folder that the message names. Input i
    of a seed is the same in every run; `run_one` repeats it.
    """
    return _run(case, range(n), seed)


def run_one(case: Case, number: int, seed: int) -> Counter:
    """Repeat one input of `run_case`."""
    return _run(case, [number], seed)


def _run(case: Case, numbers: Iterable[int], seed: int) -> Counter:
    counts = Counter(accepted=0, refused=0, undecided=0)
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            rng = random.Random(f"{seed} {case.name} {number}")
            content = case.generate(rng)
            path = _write(Path(folder) / "input", content)
            piped = case.piped and isinstance(content, bytes) and rng.random() < _PIPED
            if piped and len(content) < _PIPE_BUFFER:
                wrong, kind = _through_pipe(case, content)
            else:
                wrong, kind = _judge(case, path, content)
            if wrong:
                kept = _write(Path(tempfile.mkdtemp(prefix="fuzz-")) / "input", content)
                raise Failure(
                    f"{case.name}: {wrong}\n  seed {seed}, input {number}{' (through a pipe)' * piped}, kept at {kept}"
                )
            counts[kind] += 1
    return counts


def _judge(case: Case, path: Path, content: Input) -> tuple[str, str]:
    """What is wrong, "" if nothing; and whether the input was accepted, refused or undecided."""
    expected = case.oracle(content)
    try:
        found = case.run(path)
    except InputError as error:
        names = (str(path), *(content if isinstance(content, dict) else ()))
        if not any(name in str(error) for name in names):
            return f"the message does not name the file: {error}", ""
        if expected is not REFUSED and expected is not UNDECIDED:
            return f"refused ({error}), expected {_short(expected)}", ""
        return "", "refused" if expected is REFUSED else "undecided"
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # panics of compiled libraries are no Exception
        return f"{type(error).__name__}: {error}", ""
    if expected is UNDECIDED:
        return "", "undecided"
    if not same(found, expected):
        return f"read as {_short(found)}, expected {_short(expected)}", ""
    return "", "accepted"


def _through_pipe(case: Case, content: bytes) -> tuple[str, str]:
    end, beginning = os.pipe()
    try:
        os.write(beginning, content)
        os.close(beginning)
        return _judge(case, Path(f"/dev/fd/{end}"), content)
    finally:
        os.close(end)


def same(one: Any, other: Any) -> bool:
    """Whether two results are equal; a number that is none equals itself, whatever its type."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if _is_missing(one) or _is_missing(other):
        return _is_missing(one) and _is_missing(other)
    if isinstance(one, str) != isinstance(other, str):
        return False
    return bool(one == other)


def _is_missing(value: Any) -> bool:
    """None, NaN and pandas' NA."""
    if value is None:
        return True
    if isinstance(value, float | np.floating):
        return bool(value != value)
    return type(value).__name__ == "NAType"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 2000 else f"{text[:1000]} .. {text[-1000:]}"


def _write(path: Path, content: Input) -> Path:
    if isinstance(content, bytes):
        path.write_bytes(content)
        return path
    path.mkdir(exist_ok=True)
    for old in path.iterdir():
        old.unlink()
    for name, data in content.items():
        (path / name).write_bytes(data)
    return path
