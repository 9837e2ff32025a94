"""The error that everything about datasets raises. It stands alone, so that all may import it cheaply."""


class DatasetError(Exception):
    """A dataset is missing, unreachable or not what it should be: ``what``, and what to do about it."""

    def __init__(self, what, advice=None):
        super().__init__(what if advice is None else f"{what}: {advice}")
        self.what = what
