"""The one exception a user is meant to read."""


class InputError(ValueError):
    """Bad input of the user's: names the file, the record or key, what was expected, and how to mend it.

    Scripts and the command line print its message without a traceback.
    """
