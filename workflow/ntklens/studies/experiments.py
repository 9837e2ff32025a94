"""One point of a study, ready to train: its network, initial parameters, training and test sets (App. D).

A trainer is found by its module's name, so that the code of one recipe does not concern another's runs.
"""

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module

import jax.numpy as jnp

from ntklens.data.subsets import Subset
from ntklens.data.training_sets import sized, training_sets
from ntklens.networks.modules import build_network, ensemble_parameters
from ntklens.studies.recipes import trainer_module
from ntklens.training.members import Samples
from ntklens.training.optimisers import build_optimiser


@dataclass(frozen=True)
class Experiment:
    """A point's ``network`` and ``data``, trained by ``recipe`` (`ntklens.studies.recipes`) on ``subset``."""

    network: dict
    data: dict
    recipe: dict
    subset: Subset

    @cached_property
    def own_subset(self):
        """The subset with images of this point's size."""
        return sized(self.subset, self.data)

    @cached_property
    def model(self):
        return build_network(self.network, self.own_subset.image_shape, outputs=self.own_subset.classes)

    @cached_property
    def test_set(self):
        subset = self.own_subset
        return Samples(jnp.asarray(subset.test_images), jnp.asarray(subset.test_labels))

    def initial_parameters(self, seeds):
        """Parameters with a leading ensemble axis, a member for each seed."""
        own = [0 if self.recipe["vary"] == "data" else seed for seed in seeds]
        return ensemble_parameters(self.model, self.own_subset.test_images.shape[1], own)

    def training_sets(self, seeds):
        """The `TrainingSet` of each seed. Raises UnsuitableDataError where the pool has too few samples."""
        return training_sets(self.own_subset, self.data, seeds)

    def trainer(self, schedule, trace=None):
        """A `FullBatch` or a `MiniBatch`."""
        module = import_module(trainer_module(self.recipe))
        optimiser = build_optimiser(self.recipe["optimiser"])
        if self.recipe["batch_size"] is None:
            return module.FullBatch(self.model, optimiser, schedule, trace)
        return module.MiniBatch(self.model, optimiser, schedule, self.recipe["batch_size"], trace)

    def train(self, trainer, sets, seeds, learning_rate, start=None):
        """What ``trainer`` yields for ``seeds`` on their training ``sets``."""
        samples = {id(own): Samples(jnp.asarray(own.images), jnp.asarray(own.labels)) for own in sets}
        return trainer.train(
            self.initial_parameters(seeds),
            [samples[id(own)] for own in sets],
            self.test_set,
            learning_rate,
            seeds,
            start,
        )
