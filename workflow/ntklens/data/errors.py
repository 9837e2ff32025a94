"""Errors about datasets, in a module of their own that is cheap to import."""


class DatasetError(Exception):
    """A dataset is missing, unreachable or wrong. ``what`` says how, ``advice`` what to do about it."""

    def __init__(self, what: str, advice: str | None = None) -> None:
        super().__init__(what if advice is None else f"{what}: {advice}")
        self.what = what


class UnsuitableDataError(ValueError):
    """A dataset does not suit the settings of a point. The message says what to change."""
