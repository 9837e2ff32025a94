"""What two benchmarks train: a dense network on a few samples in full batches, by Adam."""

from ntklens.kernel.ntk import outputs_and_trace
from ntklens.studies.experiments import Experiment
from ntklens.training.members import Trace

RATE = 1e-4
RECIPE = {
    "optimiser": {"name": "adam", "b1": 0.9, "b2": 0.999, "eps": 1e-8},
    "batch_size": None,
    "vary": "initialisation",
}
NO_CHANGES = {"balanced": False, "draw_seed": 0, "noisy_copies": None, "image_size": None}


def experiment(network, train_samples, subset):
    return Experiment(network, {"train_samples": train_samples, **NO_CHANGES}, RECIPE, subset)


def states(experiment, members, schedule, ntk_samples):
    """What training yields; the trace is measured on ``ntk_samples`` where ``schedule`` asks for it."""
    trainer = experiment.trainer(schedule, Trace(outputs_and_trace, ntk_samples))
    seeds = range(members)
    return experiment.train(trainer, experiment.training_sets(seeds), seeds, RATE)
