"""One point of a study, ready to train: its network, initial parameters, training and test sets (App. D).

The trainer is imported by its module's name, so that editing the code of one trainer does not rerun the
jobs of another.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, Int

from ntklens.data.settings import DataSettings
from ntklens.data.subsets import Subset
from ntklens.data.training_sets import TrainingSet, sized, training_sets
from ntklens.networks.architectures import NetworkSettings
from ntklens.networks.modules import (
    ConvolutionalNetwork,
    DenseNetwork,
    Ensemble,
    build_network,
    ensemble_parameters,
)
from ntklens.studies.recipes import Recipe, trainer_module
from ntklens.training.members import Members, Samples, State, Trace, Trainer
from ntklens.training.schedules import Schedule


@dataclass(frozen=True)
class Experiment:
    """A point's ``network`` and ``data``, trained by ``recipe`` on samples of ``subset``."""

    network: NetworkSettings
    data: DataSettings
    recipe: Recipe
    subset: Subset

    @cached_property
    def own_subset(self) -> Subset:
        """The subset with images of this point's size."""
        return sized(self.subset, self.data.image_size)

    @cached_property
    def model(self) -> DenseNetwork | ConvolutionalNetwork:
        """The network as a Flax module."""
        return build_network(self.network, self.own_subset.image_shape, outputs=self.own_subset.classes)

    @cached_property
    def test_set(self) -> Samples:
        """The test samples in the device's memory: the first ones, or all."""
        subset, first = self.own_subset, slice(self.data.test_samples)
        return _in_memory(subset.test_images[first], subset.test_labels[first])

    def initial_parameters(self, seeds: Sequence[int]) -> Ensemble:
        """Parameters with a leading ensemble axis, a member for each seed."""
        own = [0 if self.recipe.vary == "data" else seed for seed in seeds]
        return ensemble_parameters(self.model, self.own_subset.test_images.shape[1], own)

    def training_sets(self, seeds: Sequence[int]) -> list[TrainingSet]:
        """The `TrainingSet` of each seed. Raises UnsuitableDataError where the pool has too few samples."""
        return training_sets(self.own_subset, self.data, seeds)

    def trainer(self, schedule: Schedule, trace: Trace | None = None) -> Trainer:
        """The trainer that the recipe and the network need."""
        module: Any = import_module(trainer_module(self.recipe, schedule.evaluate_every))
        optimiser, batch_size = self.recipe.optimiser, self.recipe.batch_size
        if batch_size is not None:
            return module.MiniBatch(self.model, optimiser, schedule, batch_size, trace=trace)
        if schedule.evaluate_every > 1:
            return module.FullBatchOnGrid(self.model, optimiser, schedule, trace=trace)
        return module.FullBatch(self.model, optimiser, schedule, trace)

    def train(
        self,
        trainer: Trainer,
        sets: Sequence[TrainingSet],
        seeds: Sequence[int],
        learning_rate: float,
        start: tuple[int, State] | None = None,
    ) -> Iterator[tuple[int, Members]]:
        """The pairs (epoch, members) that ``trainer`` yields for ``seeds`` on their training ``sets``."""
        samples = {id(own): _in_memory(own.images, own.labels) for own in sets}
        return trainer.train(
            self.initial_parameters(seeds),
            [samples[id(own)] for own in sets],
            self.test_set,
            learning_rate,
            seeds,
            start,
        )


def _in_memory(images: Float[np.ndarray, "d n0"], labels: Int[np.ndarray, " d"]) -> Samples:
    """`Samples` in the device's memory. Unlike `jnp.asarray`, this compiles no program for a new shape."""
    return Samples(jax.device_put(images), jax.device_put(labels))
