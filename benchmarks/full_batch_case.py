"""The training that two benchmarks time: a dense network on a few samples, by full-batch Adam."""

from collections.abc import Iterator, Mapping
from typing import Any

from ntklens.data.subsets import Subset
from ntklens.kernel.ntk import outputs_and_trace
from ntklens.studies.experiments import Experiment
from ntklens.training.members import Trace
from ntklens.training.schedules import Schedule

RATE = 1e-4
RECIPE = {
    "optimiser": {"name": "adam", "b1": 0.9, "b2": 0.999, "eps": 1e-8},
    "batch_size": None,
    "vary": "initialisation",
}
NO_CHANGES = {"balanced": False, "draw_seed": 0, "noisy_copies": None, "image_size": None}


def experiment(network: Mapping[str, Any], train_samples: int, subset: Subset) -> Experiment:
    return Experiment(dict(network), {"train_samples": train_samples, **NO_CHANGES}, RECIPE, subset)


def states(
    experiment: Experiment, members: int, schedule: Schedule, ntk_samples: int
) -> Iterator[tuple[int, Any]]:
    """Train, yielding pairs (epoch, members); the trace is measured on ``ntk_samples`` test samples."""
    trainer = experiment.trainer(schedule, Trace(outputs_and_trace, ntk_samples))
    seeds = range(members)
    return experiment.train(trainer, experiment.training_sets(seeds), seeds, RATE)
