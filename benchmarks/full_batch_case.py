"""The training that two benchmarks time: a dense network on a few samples, by full-batch Adam."""

from collections.abc import Iterator

from ntklens.data.settings import DataSettings
from ntklens.data.subsets import Subset
from ntklens.kernel.ntk import outputs_and_layer_traces
from ntklens.networks.architectures import NetworkSettings
from ntklens.studies.experiments import Experiment
from ntklens.studies.recipes import Recipe
from ntklens.training.members import Members, Trace
from ntklens.training.optimisers import Adam
from ntklens.training.schedules import Schedule, Stop

RATE = 1e-4
RECIPE = Recipe(
    optimiser=Adam(b1=0.9, b2=0.999, eps=1e-8),
    batch_size=None,
    learning_rate=RATE,
    stop=Stop.fixed(0),  # not used: each benchmark has a schedule of its own
    evaluate_every=1,
    vary="initialisation",
)


def experiment(network: NetworkSettings, train_samples: int, subset: Subset) -> Experiment:
    data = DataSettings(train_samples=train_samples, balanced=False, draw_seed=0)
    return Experiment(network, data, RECIPE, subset)


def states(
    experiment: Experiment, members: int, schedule: Schedule, ntk_samples: int
) -> Iterator[tuple[int, Members]]:
    """Train, yielding pairs (epoch, members); the trace is measured on ``ntk_samples`` test samples."""
    layers = experiment.network.hidden_layers + 1
    trainer = experiment.trainer(schedule, Trace(outputs_and_layer_traces, ntk_samples, layers))
    seeds = range(members)
    return experiment.train(trainer, experiment.training_sets(seeds), seeds, RATE)
