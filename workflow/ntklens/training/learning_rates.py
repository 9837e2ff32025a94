"""The learning rate along a curve, as calibration found it: a smooth function of the scale."""

import math
from dataclasses import dataclass

import numpy as np

from ntklens.storage.files import read_json


@dataclass(frozen=True)
class LearningRates:
    """Log rate as a polynomial in log scale; ``coefficients`` from the highest power down."""

    coefficients: tuple[float, ...]

    def at(self, scale):
        return math.exp(np.polyval(self.coefficients, math.log(scale)))


def read_rate(path, scale):
    """The rate at ``scale`` from a file that calibration wrote."""
    return LearningRates(tuple(read_json(path)["coefficients"])).at(scale)
