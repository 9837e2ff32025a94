"""A recipe: how the members of an ensemble are trained; a measurement: what is measured of them.

This module does not import JAX: Snakemake imports it in every job that it starts.
"""

from dataclasses import dataclass, field
from typing import Literal

from ntklens.data.settings import DataSettings, optional_modules_of
from ntklens.networks.architectures import NetworkSettings
from ntklens.storage.defaults import UNLESS_DEFAULT
from ntklens.training.optimisers import Optimiser
from ntklens.training.schedules import Schedule, Stop

# Dense networks of fewer units in a layer evaluate the test loss at every epoch of full-batch training.
GRID_WIDTH = 32

Vary = Literal["initialisation", "data", "both"]


@dataclass(frozen=True)
class Recipe:
    """How members are trained."""

    optimiser: Optimiser
    batch_size: int | None  # samples of a mini-batch; None for the full batch
    learning_rate: float | None  # None for the one that calibration finds
    stop: Stop
    evaluate_every: int  # epochs between two evaluations of the test loss; see `evaluated_every`
    vary: Vary  # what members differ in
    # Factor between the rate that calibration finds and the rate that members are trained with.
    rate_factor: float = field(default=1.0, metadata=UNLESS_DEFAULT)


@dataclass(frozen=True)
class Measurement:
    """What is measured of members in training."""

    ntk_samples: int  # test samples of one draw on which the NTK is measured
    ntk_draws: int  # disjoint draws of that many test samples
    trace_every: int  # epochs between two traces; 0 measures none
    spectrum_epochs: tuple[int, ...]
    alignments: bool
    minimum: bool  # whether the NTK at the least test loss is measured
    save_parameters: int  # seeds, from the first, that keep their parameters at the minimum

    @classmethod
    def nothing(cls) -> "Measurement":
        """The measurement of training that measures no NTK, such as a trial of the learning rate."""
        return cls(
            ntk_samples=0,
            ntk_draws=0,
            trace_every=0,
            spectrum_epochs=(),
            alignments=False,
            minimum=False,
            save_parameters=0,
        )


def evaluated_every(recipe: Recipe, network: NetworkSettings) -> int:
    """Epochs between two evaluations of ``network``'s test loss: one for narrow networks on full batches.

    Their test loss costs little, and jumps from one update to the next, so a grid could miss its minimum.
    """
    dense = network.hidden_layers > 0 and not network.convolutions
    narrow = recipe.batch_size is None and dense and network.width < GRID_WIDTH
    return 1 if narrow else recipe.evaluate_every


def trainer_module(recipe: Recipe, every: int) -> str:
    """The name of the module that trains by ``recipe``, with ``every`` epochs between two evaluations.

    It is loaded by name, so that jobs which train in another way do not depend on its code.
    """
    if recipe.batch_size is not None:
        return "ntklens.training.mini_batch"
    return "ntklens.training.full_batch" if every == 1 else "ntklens.training.full_batch_on_grid"


def modules_of(recipe: Recipe, *points: tuple[NetworkSettings, DataSettings]) -> list[str]:
    """The modules that a job loads by name, for its ``recipe`` and the network and data of its ``points``."""
    trainers = {trainer_module(recipe, evaluated_every(recipe, network)) for network, _ in points}
    asked = {module for _, data in points for module in optional_modules_of(data)}
    return sorted(trainers | asked)


def schedule_of(recipe: Recipe, network: NetworkSettings, measurement: Measurement | None = None) -> Schedule:
    """The `Schedule` of a training job; without a ``measurement`` that of a trial of the learning rate."""
    every = evaluated_every(recipe, network)
    if measurement is None:
        return Schedule(recipe.stop, evaluate_every=every)
    return Schedule(
        recipe.stop,
        evaluate_every=every,
        trace_every=measurement.trace_every,
        snapshots=measurement.spectrum_epochs,
        updates_after=measurement.alignments,
        minimum=measurement.minimum,
    )
