"""Measure the unit costs in workflow/ntklens/costs/unit-costs.json, for estimates and for jobs' requests.

    python benchmarks/unit_costs.py

takes one minute. Times are CPU seconds of one thread, medians of several rounds: on a busy machine they come
out larger by up to a half, whereas wall time multiplies. The workflow's own code is timed, on random images
of the datasets' shapes. The start-up is that of this process, until it has done a job of config/smoke.yaml.
"""

import resource
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import numpy as np
import yaml
from ntklens.costs import operations
from ntklens.costs.units import UNIT_COSTS
from ntklens.data.settings import DataSettings
from ntklens.data.subsets import Subset
from ntklens.kernel.ntk import ntk_matrix
from ntklens.machine import processor
from ntklens.machine.threads import use_threads
from ntklens.networks.architectures import NetworkSettings
from ntklens.planning.config import load
from ntklens.planning.curves import curves, scales
from ntklens.planning.settings import training_settings
from ntklens.spectrum.alignments import alignments
from ntklens.storage.files import write_json
from ntklens.studies.experiments import Experiment
from ntklens.studies.recipes import Recipe, evaluated_every
from ntklens.studies.recorder import record
from ntklens.studies.spectrum_workers import spectra_of
from ntklens.training.optimisers import Adam
from ntklens.training.schedules import EPOCHS_PER_CALL, Schedule, Stop

SMOKE = Path(__file__).resolve().parents[1] / "config/smoke.yaml"
CONVOLUTIONAL = NetworkSettings(hidden_layers=1, width=64, convolutions=3)
ROUNDS = 8
GRID = 4  # epochs between two evaluations of wide networks; the more, the less the test loss counts


def made_up(image_shape: tuple[int, int, int], classes: int, pool: int, test: int) -> Subset:
    images = np.random.default_rng(0).random((pool + test, np.prod(image_shape)), dtype=np.float32)
    labels = np.arange(pool + test, dtype=np.int32) % classes
    return Subset(images[:pool], labels[:pool], images[pool:], labels[pool:], classes, image_shape)


def experiment(
    network: NetworkSettings,
    image_shape: tuple[int, int, int],
    classes: int,
    train: int,
    test: int,
    batch_size: int | None = None,
) -> Experiment:
    recipe = Recipe(
        optimiser=Adam(b1=0.9, b2=0.999, eps=1e-8),
        batch_size=batch_size,
        learning_rate=1e-5,
        stop=Stop.fixed(0),  # not used: `epoch_seconds` has a schedule of its own
        evaluate_every=1 if batch_size else GRID,
        vary="initialisation",
    )
    data = DataSettings(train_samples=train, balanced=False, draw_seed=0)
    return Experiment(network, data, recipe, made_up(image_shape, classes, train, test))


def dense(width: int, train: int = 100, test: int = 4000, batch_size: int | None = None) -> Experiment:
    network = NetworkSettings(hidden_layers=2, width=width)
    return experiment(network, (28, 28, 1), 10, train, test, batch_size)


def layers_of(case: Experiment) -> Any:
    return operations.layers_of(case.network, case.subset.image_shape, case.subset.classes)


def narrow(case: Experiment) -> bool:
    """Whether the workflow evaluates the test loss at every epoch of training on full batches."""
    return not case.recipe.batch_size and evaluated_every(case.recipe, case.network) == 1


def epoch_seconds(case: Experiment) -> float:
    """Seconds of one epoch of one member, as the workflow trains it.

    Of narrow networks, five members are vectorised, several epochs per call; of others, one is measured.
    """
    members, step = (5, EPOCHS_PER_CALL) if narrow(case) else (1, case.recipe.evaluate_every)
    epochs = range(0, ROUNDS * step, step)
    every = 1 if narrow(case) else step
    schedule = Schedule(Stop.fixed(ROUNDS * step), every, snapshots=tuple(epochs), minimum=False)
    seeds = range(members)
    marks: list[float] = []
    for _, state in case.train(case.trainer(schedule), case.training_sets(seeds), seeds, 1e-5):
        # Mini-batch training yields states without params: evaluating their losses has already waited.
        jax.block_until_ready(getattr(state, "params", None))
        marks.append(time.process_time())
    return float(np.median(np.diff(marks)[1:-1])) / step / members  # the first compiles


def median_seconds(call: Callable[[], object]) -> float:
    call()  # compiles
    marks = [time.process_time()]
    for _ in range(ROUNDS):
        call()
        marks.append(time.process_time())
    return float(np.median(np.diff(marks)))


def kernel_of(case: Experiment, samples: int) -> Callable[[int], jax.Array]:
    """A function that computes one triangle of the NTK at a seed's initial parameters."""
    images, stacked = case.test_set.images[:samples], case.initial_parameters([0, 1])
    kernel = jax.jit(lambda params: ntk_matrix(case.model, params, images, lower=True))
    return lambda seed: kernel(jax.tree.map(lambda leaf: leaf[seed], stacked)).block_until_ready()


def rates(case: Experiment, samples: int, parameter: float) -> dict[str, float]:
    """Seconds per operation in training and in an NTK of ``samples``.

    Updates cost ``parameter`` seconds for each parameter besides: they are subtracted from training.
    """
    layers, kernel, batch_size = layers_of(case), kernel_of(case, samples), case.recipe.batch_size
    train, test = len(case.subset.pool_labels), len(case.subset.test_labels)
    evaluated = test if narrow(case) else (train + test) / case.recipe.evaluate_every
    passes = 3 * train + evaluated
    updates = train // (batch_size or train) * operations.parameters(layers)
    return {
        "forward": operations.forward(layers),
        "training": (epoch_seconds(case) - updates * parameter) / passes / operations.forward(layers),
        "NTKs": median_seconds(lambda: kernel(0)) / operations.kernel(layers, samples),
    }


def parameter_seconds(few: int = 200, many: int = 2200) -> float:
    """Seconds per parameter of an update: an epoch's time, extrapolated to no samples."""
    least, most = (epoch_seconds(dense(1024, test=test)) for test in (few, many))
    every = dense(1024).recipe.evaluate_every
    sample = (most - least) / (many - few) * every
    return (least - (3 * 100 + (100 + few) / every) * sample) / operations.parameters(layers_of(dense(1024)))


def spectrum_seconds(samples: int = 128) -> dict[str, float]:
    """Seconds of an NTK's eigenvalues, and of the alignments of NTKs before and after an update."""
    kernel = kernel_of(dense(256), samples)
    before, other, labels = np.asarray(kernel(0)), np.asarray(kernel(1)), np.arange(samples) % 10
    after = before + np.float32(0.03) * (other - before)  # an update changes NTKs by about 3 %
    top = len(before) // 10  # eigenvectors, about the effective rank
    return {
        "rows": len(before),
        "eigenvalues": median_seconds(lambda: spectra_of(before)),
        "alignments": median_seconds(lambda: alignments(before, after, labels, top)),
    }


def start_up() -> dict[str, float]:
    """Seconds and peak bytes of this process after a small job, and seconds where nothing is compiled.

    Call it first: it counts from the start of the process.
    """
    imported = time.process_time()
    small_job()
    first, usage = time.process_time(), resource.getrusage(resource.RUSAGE_SELF)
    jax.clear_caches()  # programs are now loaded from the cache on disk
    small_job()
    compiled = imported + time.process_time() - first
    return {"seconds": first, "compiled": compiled, "memory": usage.ru_maxrss * 1024}


def small_job() -> None:
    """Train and measure two seeds of config/smoke.yaml's first point."""
    config = load(yaml.safe_load(SMOKE.read_text(encoding="utf-8")))
    curve = curves(config)[0]
    settings = training_settings(config, curve, scales(config, curve)[0])
    subset = made_up((8, 8, 1), 10, 1000, 64)
    small = Experiment(settings.network, settings.data, settings.recipe, subset)
    record(small, settings.measurement, range(2), 0.01)


def measure() -> dict[str, Any]:
    starting, parameter = start_up(), parameter_seconds()
    convolutional = experiment(CONVOLUTIONAL, (32, 32, 3), 4, 256, 400, batch_size=128)
    return {
        "processor": processor.model(),
        "versions": {name: version(name) for name in ("jax", "numpy", "scipy")},
        "start_up": starting,
        "parameter": parameter,
        "step": epoch_seconds(dense(8, test=1, batch_size=1)) / 100,
        "spectra": spectrum_seconds(),
        "dense": [rates(dense(width), 128, parameter) for width in (8, 64, 256, 1024, 4096)],
        "convolutional": [rates(convolutional, 400, parameter)],
    }


if __name__ == "__main__":
    use_threads(1)
    with tempfile.TemporaryDirectory() as programs:
        # The settings of `ntklens.machine.compilation_cache`.
        jax.config.update("jax_compilation_cache_dir", programs)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
        write_json(UNIT_COSTS, measure())
