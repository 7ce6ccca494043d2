"""The one exception a user is meant to read, and a hint that its messages share."""

import difflib
from collections.abc import Sequence


class InputError(ValueError):
    """Bad input of the user's: names the file, the record or key, what was expected, and how to mend it.

    Scripts and the command line print its message without a traceback.
    """


def did_you_mean(name: str, known: Sequence[str], otherwise: str) -> str:
    """The end of a message on an unknown `name`: the one of `known` that is like it, or else another hint."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else otherwise
