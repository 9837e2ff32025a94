"""The settings of analyses: plain names and numbers, which Snakemake passes to their scripts.

This module imports neither NumPy nor h5py: Snakemake imports it in every job that it starts.
"""

from dataclasses import dataclass

from ntklens.storage.curve import Curve


@dataclass(frozen=True)
class Window:
    """The epochs between which the minimum of the test loss should lie, both included."""

    first: int
    last: int


@dataclass(frozen=True)
class AveragingSettings:
    """How the run files of one curve are averaged."""

    curve: Curve
    points: dict[str, int]  # folder of a point -> its scale
    min_members: int  # averaging fails where fewer seeds of a point are usable
    window: Window | None  # None where training does not follow the minimum
