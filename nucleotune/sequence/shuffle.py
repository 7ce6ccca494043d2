"""Random sequences with the composition of given ones."""

from collections.abc import Callable, Iterable

import numpy as np


def mononucleotide(sequence: str, generator: np.random.Generator) -> str:
    """The letters of `sequence` in random order; every order is equally likely."""
    letters = np.frombuffer(bytearray(sequence, "ascii"), dtype=np.uint8)
    return generator.permutation(letters).tobytes().decode("ascii")


def dinucleotide(sequence: str, generator: np.random.Generator) -> str:
    """A random sequence with exactly the dinucleotides of `sequence`, and so its letters and both its ends.

    Every such sequence is equally likely. It is a walk over the letters that uses each step of the original once
    (Altschul and Erickson, Mol Biol Evol 1985;2:526): the last steps out of the letters form a random tree towards the
    final letter, drawn by Wilson's loop-erased walks (STOC 1996:296); the other steps are in random order.
    """
    following: dict[str, list[str]] = {}
    for letter, successor in zip(sequence, sequence[1:], strict=False):
        following.setdefault(letter, []).append(successor)
    for letter, place in _last_steps(following, sequence[-1:], generator).items():
        steps = following[letter]
        steps[place], steps[-1] = steps[-1], steps[place]
    for letter, steps in following.items():
        free = len(steps) - (letter != sequence[-1])
        order = generator.permutation(free).tolist()
        following[letter] = [steps[i] for i in order] + steps[free:]
    walk = list(sequence[:1])
    unused = {letter: iter(steps) for letter, steps in following.items()}
    while len(walk) < len(sequence):
        walk.append(next(unused[walk[-1]]))
    return "".join(walk)


def _last_steps(
    following: dict[str, list[str]], final: str, generator: np.random.Generator
) -> dict[str, int]:
    """For each letter but `final`, the place among its steps of one that leads towards `final`, without a circle."""
    chosen: dict[str, int] = {}
    done = {final}
    for start in following:
        letter = start
        while letter not in done:  # a step chosen again replaces the former: this erases loops
            chosen[letter] = int(generator.integers(len(following[letter])))
            letter = following[letter][chosen[letter]]
        letter = start
        while letter not in done:
            done.add(letter)
            letter = following[letter][chosen[letter]]
    return chosen


#: What a shuffle keeps, and how it is done.
SHUFFLES: dict[str, Callable[[str, np.random.Generator], str]] = {
    "mononucleotide": mononucleotide,
    "dinucleotide": dinucleotide,
}


def shuffle_sequences(sequences: Iterable[str], kept: str, seed: int) -> list[str]:
    """Shuffle each of `sequences` so that its composition is `kept`, a key of SHUFFLES; KeyError for another."""
    shuffle, generator = SHUFFLES[kept], np.random.default_rng(seed)
    return [shuffle(sequence, generator) for sequence in sequences]
