"""What operations, updates and spectra take on one core, as measured by benchmarks/unit_costs.py."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ntklens.costs.operations import forward
from ntklens.storage.files import read_json

UNIT_COSTS = Path(__file__).parent / "unit-costs.json"


@dataclass(frozen=True)
class UnitCosts:
    """The content of a file of measured units; all times are seconds of one core."""

    measured: dict

    def work(self, part, layers, operations):
        """Seconds of ``operations`` on ``part`` (training or NTKs) of a network of these ``layers``.

        The rate lies between those of the measured networks of its kind, straight in logarithms. Beyond the
        largest it is the largest's, as matrix products keep it, and below the smallest the smallest's.
        """
        convolutional = any(layer.positions > 1 for layer in layers)
        networks = self.measured["convolutional" if convolutional else "dense"]
        sizes, rates = (np.log([network[key] for network in networks]) for key in ("forward", part))
        return operations * float(np.exp(np.interp(np.log(forward(layers)), sizes, rates)))

    def update(self, parameters, full_batch):
        """Seconds of an update beyond its operations: parameters move, and Python starts every mini-batch."""
        return parameters * self.measured["parameter"] + (0.0 if full_batch else self.measured["step"])

    def spectrum(self, part, rows):
        """Seconds of one NTK's eigenvalues or alignments (``part``): reductions take N³ operations."""
        return self.measured["spectra"][part] * (rows / self.measured["spectra"]["rows"]) ** 3

    def start_up(self, compiled):
        """Seconds of imports and of reading, and of compiling unless an earlier job has."""
        return self.measured["start_up"]["compiled" if compiled else "seconds"]


def read_unit_costs(path=UNIT_COSTS):
    return UnitCosts(read_json(path))
