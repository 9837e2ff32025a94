"""The learning rate along a curve, which calibration found: a smooth function of the scale."""

import math
from dataclasses import dataclass

import numpy as np

from ntklens.storage.files import FilePath
from ntklens.storage.records import read_record


@dataclass(frozen=True)
class LearningRates:
    """Log rate as a polynomial in log scale; ``coefficients`` from the highest power down."""

    coefficients: tuple[float, ...]

    def at(self, scale: int | float) -> float:
        return math.exp(np.polyval(self.coefficients, math.log(scale)))


def read_rate(path: FilePath, scale: int, made_with: str | None = None) -> float:
    """The rate at ``scale`` from a file that calibration wrote.

    It must be ``made_with`` the settings of this digest; None takes any. Raises FileError if the file is
    damaged or another one, and OSError if it cannot be read.
    """
    content = read_record(path, "learning rates", made_with)
    return LearningRates(tuple(content["coefficients"])).at(scale)
