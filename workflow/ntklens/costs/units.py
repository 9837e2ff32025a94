"""Seconds that operations, updates and spectra take on one core, as measured by benchmarks/unit_costs.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ntklens.costs.operations import Layer, forward
from ntklens.storage.errors import FileError
from ntklens.storage.files import FilePath, read_json

Work = Literal["training", "NTKs"]
UNIT_COSTS = Path(__file__).parent / "unit-costs.json"
KEYS = ("dense", "convolutional", "parameter", "step", "spectra", "start_up")


@dataclass(frozen=True)
class UnitCosts:
    """The content of a file of measured units; all times are seconds of one core."""

    measured: dict[str, Any]

    def work(self, part: Work, layers: Sequence[Layer], operations: int) -> float:
        """Seconds that ``operations`` take in ``part`` of the work on a network with these ``layers``.

        The rate is interpolated linearly in logarithms between those of the measured networks of its kind.
        Larger networks have the rate of the largest one, since the rate of matrix products levels off;
        smaller networks have that of the smallest one.
        """
        convolutional = any(layer.positions > 1 for layer in layers)
        networks = self.measured["convolutional" if convolutional else "dense"]
        sizes, rates = (np.log([network[key] for network in networks]) for key in ("forward", part))
        return operations * float(np.exp(np.interp(np.log(float(forward(layers))), sizes, rates)))

    def update(self, parameters: int, full_batch: bool) -> float:
        """Seconds of an update beyond its operations: moving parameters, and starting a mini-batch."""
        return parameters * self.measured["parameter"] + (0.0 if full_batch else self.measured["step"])

    def spectrum(self, part: Literal["eigenvalues", "alignments"], rows: int) -> float:
        """Seconds of one NTK's eigenvalues or alignments (``part``): reductions take N³ operations."""
        return self.measured["spectra"][part] * (rows / self.measured["spectra"]["rows"]) ** 3

    def start_up(self, compiled: bool) -> float:
        """Seconds of imports, of reading files, and of compiling where the programs are not ``compiled``."""
        return self.measured["start_up"]["compiled" if compiled else "seconds"]


def read_unit_costs(path: FilePath = UNIT_COSTS) -> UnitCosts:
    """The `UnitCosts` in a file that benchmarks/unit_costs.py wrote. Raises FileError if it is another."""
    try:
        measured = read_json(path)
    except ValueError:  # it is no JSON, or no text
        measured = None
    if not isinstance(measured, dict) or not set(KEYS) <= set(measured):
        raise FileError(f"{path} is no file of unit costs, which benchmarks/unit_costs.py writes")
    return UnitCosts(measured)
