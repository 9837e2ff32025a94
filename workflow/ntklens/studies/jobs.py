"""The settings of training jobs: all that determines their output, besides seeds and input files.

``subset`` and ``learning_rates`` are digests of the settings that these files must have been made with.
"""

from dataclasses import dataclass

from ntklens.data.settings import DataSettings
from ntklens.networks.architectures import NetworkSettings
from ntklens.storage.curve import Curve
from ntklens.studies.recipes import Measurement, Recipe
from ntklens.training.schedules import geometric_middle


@dataclass(frozen=True)
class Point:
    """What one point of a curve trains: a network, and the data for it."""

    network: NetworkSettings
    data: DataSettings


@dataclass(frozen=True)
class ScaledPoint(Point):
    """A point, and the scale it stands for."""

    scale: int


@dataclass(frozen=True)
class TrainingSettings:
    """All that determines a run file, except its seeds and inputs."""

    curve: Curve
    scale: int
    subset: str
    learning_rates: str | None  # None where the recipe gives the rate
    network: NetworkSettings
    data: DataSettings
    recipe: Recipe
    measurement: Measurement


@dataclass(frozen=True)
class CalibrationSettings:
    """All that determines the learning rates of a curve, except its subset."""

    curve: Curve
    subset: str
    points: tuple[ScaledPoint, ...]
    recipe: Recipe
    window: tuple[int, int]  # first and last epoch
    seeds: int
    tolerance: float
    share_inside: float
    max_trials: int
    first_rate: float

    @property
    def target_epoch(self) -> float:
        """The geometric middle of the window, at which calibration aims for the minimum."""
        return geometric_middle(*self.window)
