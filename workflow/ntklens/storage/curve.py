"""The name of a curve, which its run files, averages, fits and figures share."""

from typing import NamedTuple


class Curve(NamedTuple):
    """One study of one network on one dataset."""

    study: str
    dataset: str
    network: str
