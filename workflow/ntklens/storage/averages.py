"""The averages of one curve over its seeds, and the file that holds them: one HDF5 group for each point.

/                     attributes: provenance; run_code, the versions of the code that made the run files
/scale-000064         attributes: scale, minimum_epoch, left_out and layers
    seeds             seeds that were averaged
    effective_rank/   epoch, mean, error; one such group for each quantity measured along training.
                      All but accuracies, train_loss, layer_traces and eigenvalues have members too:
                      each seed's own curve
    minimum/          per seed, at its own minimum of the test loss: epoch, test_loss, effective_rank,
                      initial_trace, trace_ratio, loss_susceptibility, spectral_position; of dense networks
                      also the distances from the initialisation, values by layer, of the weighted NTK
    initial/          per seed at initialisation: effective_rank, loss_susceptibility, spectral_position; of
                      dense networks also values by layer and of the weighted NTK

Values by layer have a second axis, in the order of the attribute layers. So have eigenvalues, in ascending
order: the means of those of one rank, as float32, of which the first bits are kept.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import h5py
import numpy as np
from jaxtyping import Float, Float32, Int, Num

from ntklens.storage.files import FilePath
from ntklens.storage.hdf5 import (
    add_group,
    add_quantity,
    add_scale,
    get_group,
    groups_in,
    read_array,
    read_arrays,
    read_attribute,
    read_texts,
    texts,
)
from ntklens.storage.labels import NO_SCALE, mark_default, mark_plot
from ntklens.storage.quantities import QUANTITIES
from ntklens.storage.records import new_record, opened

PER_SEED = ("minimum", "initial")  # the groups that hold values of each seed
# Significant bits of mean spectra and of their errors. The other bits are noise, and would be most of
# the file: with twenty seeds a mean has an error above 1 in 1,000, which is itself uncertain by a sixth.
MEAN_BITS, ERROR_BITS = 12, 8


class Mean(NamedTuple):
    """A quantity along training: mean and standard error over the members, at each ``epoch``.

    A quantity that each layer has for itself has a second axis, and so have eigenvalues, in ascending order.
    """

    epoch: Int[np.ndarray, " epochs"]
    mean: Float[np.ndarray, " epochs *rest"]
    error: Float[np.ndarray, " epochs *rest"]

    def until(self, epoch: int) -> "Mean":
        """The part up to and including ``epoch``."""
        shown = self.epoch <= epoch
        return Mean(self.epoch[shown], self.mean[shown], self.error[shown])


@dataclass(frozen=True)
class Average:
    """One point of a curve, averaged over ``seeds``.

    ``left_out`` names each seed that was not averaged, with the reason. ``along`` has the `Mean` of each
    quantity measured along training. ``minimum`` has, per seed in the order of ``seeds``, the values at that
    seed's own minimum of the test loss, and ``initial`` those at its initialisation; both are empty if
    training did not follow the minimum. ``minimum_epoch`` is the epoch of the minimum of the mean test loss,
    where curves against the train loss end. ``members`` has each seed's own curve of the quantities of
    which intervals along training are made, at the epochs of their means; it is empty too if training did not
    follow the minimum. ``layers`` are the names of the layers, for values by layer.
    """

    scale: int
    seeds: Int[np.ndarray, " seeds"]
    left_out: tuple[str, ...]
    minimum_epoch: int
    along: dict[str, Mean]
    minimum: dict[str, Num[np.ndarray, "seeds ..."]]
    members: dict[str, Float[np.ndarray, "seeds _"]] = field(default_factory=dict)
    initial: dict[str, Num[np.ndarray, "seeds ..."]] = field(default_factory=dict)
    layers: tuple[str, ...] = ()

    def at_epochs(
        self, name: str, epochs: Sequence[int] | Int[np.ndarray, " points"]
    ) -> Float[np.ndarray, " points *rest"]:
        """The mean of the quantity ``name`` at each of ``epochs``.

        Raises ValueError if it was not measured at one of them.
        """
        return self.along[name].mean[self._rows(name, epochs)]

    def members_at_epochs(
        self, name: str, epochs: Sequence[int] | Int[np.ndarray, " points"]
    ) -> Float[np.ndarray, "seeds points"]:
        """Each seed's own values of the quantity ``name`` at each of ``epochs``. Raises as `at_epochs`."""
        return self.members[name][:, self._rows(name, epochs)].astype(np.float64)

    def _rows(
        self, name: str, epochs: Sequence[int] | Int[np.ndarray, " points"]
    ) -> Int[np.ndarray, " points"]:
        own = self.along[name].epoch
        rows = np.searchsorted(own, epochs)
        if not np.array_equal(own[np.minimum(rows, len(own) - 1)], epochs):
            raise ValueError(f"{name} was not measured at every one of the epochs {list(epochs)}")
        return rows


def write_averages(path: FilePath, averages: Iterable[Average], origin: Mapping[str, object]) -> None:
    """Store the points of one curve, and their ``origin`` at the root."""
    with new_record(path, "averages over seeds along one curve, one group for each point", origin) as file:
        for average in averages:
            _write(file, average)
        for first in list(file)[:1]:
            mark_default(file, first)


def _write(file: h5py.File, average: Average) -> None:
    group = add_group(file, f"scale-{average.scale:06d}", "one point of the curve")
    group.attrs["scale"] = average.scale
    group.attrs["minimum_epoch"] = average.minimum_epoch
    group.attrs["left_out"] = texts(average.left_out)
    group.attrs["layers"] = texts(average.layers)
    add_scale(group, "seeds", average.seeds)
    for name, along in average.along.items():
        own = add_group(group, name, f"{QUANTITIES[name].description}, averaged over members")
        _write_along(own, name, along, average)
    for part, where, per_seed in (
        ("minimum", "at its own minimum of the test loss", average.minimum),
        ("initial", "at its initialisation", average.initial),
    ):
        if per_seed:
            own = add_group(group, part, f"per seed, {where}")
            _write_per_seed(own, per_seed, average)
    mark_default(group, "test_loss")


def _write_along(group: h5py.Group, name: str, along: Mean, average: Average) -> None:
    add_scale(group, "epoch", along.epoch)
    axes = ["epoch"]
    if name == "eigenvalues":
        along = along._replace(mean=_rounded(along.mean, MEAN_BITS), error=_rounded(along.error, ERROR_BITS))
        add_scale(group, "eigenvalue_index", np.arange(along.mean.shape[1]))
        axes.append("eigenvalue_index")
    elif along.mean.ndim > 1:
        add_scale(group, "layer", texts(average.layers))
        axes.append("layer")
    add_quantity(group, name, along.mean, as_name="mean", axes=axes)
    error = add_quantity(
        group, name, along.error, as_name="error", description="standard error of the mean", axes=axes
    )
    group["mean_errors"] = error  # the same dataset by the name under which NXdata has errors of ``mean``
    if name in average.members:
        own_curves = np.asarray(average.members[name], dtype=np.float32)
        add_scale(group, "seed", average.seeds)
        add_quantity(
            group,
            name,
            own_curves,
            as_name="members",
            description="each seed's own curve",
            axes=["seed", "epoch"],
        )
    mark_plot(group, "mean", ["epoch", *(NO_SCALE for _ in axes[1:])])


def _rounded(values: Float[np.ndarray, "..."], bits: int) -> Float32[np.ndarray, "..."]:
    """``values`` as float32, each rounded to the nearest number whose mantissa has ``bits`` bits."""
    mantissa, exponent = np.frexp(values)
    return np.ldexp(np.round(np.ldexp(mantissa, bits)), exponent - bits).astype(np.float32)


def _write_per_seed(
    group: h5py.Group, per_seed: Mapping[str, Num[np.ndarray, "seeds ..."]], average: Average
) -> None:
    add_scale(group, "seed", average.seeds)
    if any(values.ndim > 1 for values in per_seed.values()):
        add_scale(group, "layer", texts(average.layers))
    for name, values in per_seed.items():
        add_quantity(group, name, values, axes=["seed", "layer"][: values.ndim])
    mark_plot(group, "effective_rank", ["seed"])


def read_averages(path: FilePath, made_with: str | None = None) -> list[Average]:
    """The `Average` of each point of one curve, in order of scale.

    They must be ``made_with`` the settings of this digest; None takes any. Raises FileError if the file is
    damaged or another one, and OSError if it cannot be read.
    """
    with opened(path, "averages", made_with) as file:
        read = [_read(group) for group in groups_in(file).values()]
    return sorted(read, key=lambda average: average.scale)


def _read(group: h5py.Group) -> Average:
    along = {name: own for name, own in groups_in(group).items() if name not in PER_SEED}
    return Average(
        scale=int(read_attribute(group, "scale")),
        seeds=read_array(group, "seeds"),
        left_out=tuple(read_attribute(group, "left_out")),
        minimum_epoch=int(read_attribute(group, "minimum_epoch")),
        along={name: _read_mean(own) for name, own in along.items()},
        minimum=read_arrays(get_group(group, "minimum")) if "minimum" in group else {},
        members={name: read_array(own, "members") for name, own in along.items() if "members" in own},
        initial=read_arrays(get_group(group, "initial")) if "initial" in group else {},
        layers=read_texts(group, "layers"),
    )


def _read_mean(group: h5py.Group) -> Mean:
    mean, error = (read_array(group, name).astype(np.float64) for name in ("mean", "error"))
    return Mean(read_array(group, "epoch"), mean, error)
