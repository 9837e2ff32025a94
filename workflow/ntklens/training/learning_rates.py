"""The learning rate along a curve, which calibration found: a smooth function of the scale."""

import math
from dataclasses import dataclass

import numpy as np

from ntklens.storage.files import FilePath, read_json


@dataclass(frozen=True)
class LearningRates:
    """Log rate as a polynomial in log scale; ``coefficients`` from the highest power down."""

    coefficients: tuple[float, ...]

    def at(self, scale: int | float) -> float:
        return math.exp(np.polyval(self.coefficients, math.log(scale)))


def read_rate(path: FilePath, scale: int) -> float:
    """The rate at ``scale`` from a file that calibration wrote."""
    return LearningRates(tuple(read_json(path)["coefficients"])).at(scale)
