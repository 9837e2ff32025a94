"""The errors about datasets. They stand alone, so that all may import them cheaply."""


class DatasetError(Exception):
    """A dataset is missing, unreachable or not what it should be: ``what``, and what to do about it."""

    def __init__(self, what, advice=None):
        super().__init__(what if advice is None else f"{what}: {advice}")
        self.what = what


class UnsuitableDataError(ValueError):
    """A dataset does not allow what a point asks of it; the message says what to change."""
