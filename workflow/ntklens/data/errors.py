"""Errors about datasets, in a module of their own that is cheap to import."""


class DatasetError(Exception):
    """A dataset is missing, unreachable or wrong. ``what`` says how, ``advice`` what to do about it.

    The message is one line: what cannot be printed, such as a line break in a file's name, is escaped.
    """

    def __init__(self, what: str, advice: str | None = None) -> None:
        super().__init__(_printable(what if advice is None else f"{what}: {advice}"))
        self.what = _printable(what)


class UnsuitableDataError(ValueError):
    """A dataset does not suit the settings of a point. The message says what to change."""


def _printable(text: str) -> str:
    """``text`` with all characters escaped, as in a literal, that cannot be printed."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
