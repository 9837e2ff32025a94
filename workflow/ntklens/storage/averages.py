"""The averages of one curve over its seeds, and the file that holds them: one HDF5 group for each point.

/scale-000064         scale, minimum_epoch and left_out, as attributes
    seeds             that were averaged
    effective_rank/   epoch, mean, error: so for each quantity along training that was measured
    minimum/          by seed, at its own least test loss: epoch, test_loss, effective_rank, initial_trace,
                      trace_ratio
"""

from dataclasses import dataclass
from typing import NamedTuple

import h5py
import numpy as np

from ntklens.storage.hdf5 import add_group, add_quantity, new_file
from ntklens.storage.quantities import QUANTITIES


class Mean(NamedTuple):
    """A quantity along training: mean and standard error (E,) over the members, at ``epoch`` (E,)."""

    epoch: np.ndarray
    mean: np.ndarray
    error: np.ndarray

    def until(self, epoch):
        """The part up to and including ``epoch``."""
        shown = self.epoch <= epoch
        return Mean(self.epoch[shown], self.mean[shown], self.error[shown])


@dataclass(frozen=True)
class Average:
    """One point of a curve, averaged over ``seeds``.

    ``along`` has the `Mean` of each quantity that was measured along training. ``minimum`` has arrays
    (seeds,), in the order of ``seeds``, each taken at that seed's own minimum of the test loss; it is empty
    where no minimum was followed. ``minimum_epoch`` is the epoch of the least mean test loss, where curves
    against the train loss end.
    """

    scale: int
    seeds: np.ndarray
    left_out: tuple[str, ...]
    minimum_epoch: int
    along: dict
    minimum: dict

    def at_epochs(self, name, epochs):
        """The mean of ``name`` at ``epochs``, at each of which it was measured."""
        own = self.along[name]
        rows = np.searchsorted(own.epoch, epochs)
        if not np.array_equal(own.epoch[np.minimum(rows, len(own.epoch) - 1)], epochs):
            raise ValueError(f"{name} was not measured at every one of the epochs {list(epochs)}")
        return own.mean[rows]


def write_averages(path, averages):
    """Store the points of one curve."""
    with new_file(path, "averages over seeds along one curve, one group for each point") as file:
        for average in averages:
            _write(file, average)


def _write(file, average):
    group = add_group(file, f"scale-{average.scale:06d}", "one point of the curve")
    group.attrs["scale"] = average.scale
    group.attrs["minimum_epoch"] = average.minimum_epoch
    group.attrs["left_out"] = list(average.left_out)
    add_quantity(group, "seeds", average.seeds)
    for name, along in average.along.items():
        own = add_group(group, name, f"{QUANTITIES[name].description}, averaged over members")
        add_quantity(own, "epoch", along.epoch)
        add_quantity(own, name, along.mean, as_name="mean")
        add_quantity(own, name, along.error, as_name="error", description="standard error of the mean")
    if average.minimum:
        own = add_group(group, "minimum", "by seed, at the least test loss of each")
        for name, values in average.minimum.items():
            add_quantity(own, name, values)


def read_averages(path):
    """The `Average` of each point of one curve, in order of scale."""
    with h5py.File(path) as file:
        read = [_read(group) for group in file.values()]
    return sorted(read, key=lambda average: average.scale)


def _read(group):
    along = {name: own for name, own in group.items() if name not in ("seeds", "minimum")}
    return Average(
        scale=int(group.attrs["scale"]),
        seeds=group["seeds"][:],
        left_out=tuple(group.attrs["left_out"]),
        minimum_epoch=int(group.attrs["minimum_epoch"]),
        along={name: Mean(own["epoch"][:], own["mean"][:], own["error"][:]) for name, own in along.items()},
        minimum={name: own[:] for name, own in group["minimum"].items()} if "minimum" in group else {},
    )
