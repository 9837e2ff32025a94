"""What one epoch, one NTK, one spectrum … takes, from units measured at a few sizes.

The units are those of benchmarks/unit_costs.py: seconds of one core. Another size is priced by a
stated law: operations at the rate of the measured sizes beside it, the cube of the rows for a spectrum.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ntklens.costs import operations
from ntklens.storage.files import read_json

UNIT_COSTS = Path(__file__).parent / "unit-costs.json"


@dataclass(frozen=True)
class UnitCosts:
    """The content of a file of measured units; all times are seconds of one core."""

    measured: dict

    def epoch(self, layers, train_samples, test_samples):
        """One member's update on all training samples, its test loss, and its copy at the minimum.

        Linear in both numbers of samples. What is left moves parameters and optimiser state, and goes with
        their number as the operations of a sample do.
        """
        train, test, update = (
            self._scaled("scaling", key, layers) for key in ("train_sample", "test_sample", "update")
        )
        return train_samples * train + test_samples * test + update

    def trace(self, layers, samples):
        """One trace beside an epoch, by the operations it takes."""
        return self._by_operations("scaling", "trace", operations.trace, layers, samples)

    def kernel(self, layers, samples):
        """One NTK of a network of the scaling studies, one triangle."""
        return self._by_operations("scaling", "kernel", operations.kernel, layers, samples)

    def noise_kernel(self, layers, samples):
        """One NTK of a network of the noise study, one triangle."""
        return self._by_operations("noise", "kernel", operations.kernel, layers, samples)

    def step(self, layers, samples):
        """One update on a mini-batch."""
        sample, rest = (self._scaled("noise", key, layers) for key in ("step_sample", "step"))
        return samples * sample + rest

    def evaluation(self, layers, samples):
        """Loss and accuracy."""
        return samples * self._scaled("noise", "evaluated_sample", layers)

    def eigenvalues(self, rows):
        """All eigenvalues of an NTK."""
        return self._by_rows("eigenvalues", rows)

    def alignments(self, rows):
        """The alignments of an NTK and of its change by an update: eigenvectors of both."""
        return self._by_rows("alignments", rows)

    def start_up(self, kind):
        """Imports, reading, compilation: what a job of ``kind`` takes beyond its units."""
        return self.measured["start_up"][kind]["seconds"]

    def base_memory(self, kind):
        """Peak bytes of a job of ``kind`` with next to no work."""
        return self.measured["start_up"][kind]["memory"]

    def _by_operations(self, family, key, count, layers, samples):
        """A unit scaled from the measured number of samples by what ``count`` says of both."""
        at = self.measured[f"{family}_ntk_samples"]
        outputs = self._outputs(family)
        reference = [*layers[:-1], layers[-1]._replace(units=outputs)]
        return self._scaled(family, key, reference) * count(layers, samples) / count(reference, at)

    def _scaled(self, family, key, layers):
        """The unit ``key`` at the operations of ``layers``, among the measured networks of their kind."""
        units = self._networks[family, operations.is_convolutional(layers)]
        return interpolated([(size, unit[key]) for size, unit in units], operations.forward(layers))

    @cached_property
    def _networks(self):
        """(family, convolutional or not) -> pairs of a measured network's operations and units, ascending."""
        networks = {}
        for family in ("scaling", "noise"):
            for unit in self.measured.get(family, ()):
                layers = operations.layers_of(unit["network"], unit["image_shape"], self._outputs(family))
                key = (family, operations.is_convolutional(layers))
                networks.setdefault(key, []).append((operations.forward(layers), unit))
        return {key: sorted(units, key=lambda pair: pair[0]) for key, units in networks.items()}

    def _outputs(self, family):
        return self.measured[f"{family}_outputs"]

    def _by_rows(self, key, rows):
        """Reductions to tridiagonal form take N³ operations: from the nearest measured size."""
        units = {unit["rows"]: unit[key] for unit in self.measured["spectra"]}
        nearest = min(units, key=lambda measured: abs(np.log(measured / rows)))
        return units[nearest] * (rows / nearest) ** 3


def interpolated(units, size):
    """Seconds at ``size`` from pairs (size, seconds), straight in logarithms between two of them.

    Above the largest in proportion: its rate is that of matrix products, which larger ones keep. Below the
    smallest in proportion too, though what does not depend on size counts for more there.
    """
    sizes, seconds = (np.array(column, dtype=float) for column in zip(*units, strict=True))
    nearest = np.clip(size, sizes[0], sizes[-1])
    return float(np.exp(np.interp(np.log(nearest), np.log(sizes), np.log(seconds))) * size / nearest)


def read_unit_costs(path=UNIT_COSTS):
    return UnitCosts(read_json(path))
