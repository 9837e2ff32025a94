"""A recipe: how the members of an ensemble are trained; a measurement: what is measured of them.

This module does not import JAX: Snakemake imports it in every job that it starts.
"""

from dataclasses import dataclass
from typing import Literal

from ntklens.data.settings import OPTIONAL_MODULES, DataSettings
from ntklens.training.optimisers import Optimiser
from ntklens.training.schedules import Schedule, Stop

Vary = Literal["initialisation", "data", "both"]


@dataclass(frozen=True)
class Recipe:
    """How members are trained."""

    optimiser: Optimiser
    batch_size: int | None  # samples of a mini-batch; None for the full batch
    learning_rate: float | None  # None for the one that calibration finds
    stop: Stop
    evaluate_every: int  # epochs between two evaluations of the losses, in mini-batch training
    vary: Vary  # what members differ in


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


def trainer_module(recipe: Recipe) -> str:
    """The name of the module that trains by ``recipe``: jobs with other recipes do not depend on its code."""
    kind = "full_batch" if recipe.batch_size is None else "mini_batch"
    return f"ntklens.training.{kind}"


def modules_of(recipe: Recipe, *datas: DataSettings) -> list[str]:
    """The modules that a job loads by name, for its ``recipe`` and the ``datas`` of its points."""
    asked = {key for data in datas for key in OPTIONAL_MODULES if getattr(data, key) is not None}
    return [trainer_module(recipe), *(OPTIONAL_MODULES[key] for key in sorted(asked))]


def schedule_of(recipe: Recipe, measurement: Measurement | None = None) -> Schedule:
    """The `Schedule` of a training job; without a ``measurement`` that of a trial of the learning rate."""
    if measurement is None:
        return Schedule(recipe.stop, evaluate_every=recipe.evaluate_every)
    return Schedule(
        recipe.stop,
        evaluate_every=recipe.evaluate_every,
        trace_every=measurement.trace_every,
        snapshots=measurement.spectrum_epochs,
        updates_after=measurement.alignments,
    )
