"""What a Snakemake job costs: core-seconds, GPU-seconds, memory and disk, from its settings and its dataset.

How often a unit occurs follows from the settings or, where it depends on the outcome, from what happened in
the default config's runs. A job keeps one core busy. Nothing was measured on a GPU: `Price.gpu_seconds` is an
assumption.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

from ntklens.costs import operations
from ntklens.costs.units import UnitCosts, Work
from ntklens.kernel.memory import PIECES_MEMORY
from ntklens.studies.jobs import CalibrationSettings, Point, TrainingSettings
from ntklens.studies.recipes import Measurement, Recipe, evaluated_every
from ntklens.training.schedules import (
    EPOCHS_PER_CALL,
    EVALUATED_AT_ONCE,
    VECTORISED_PARAMETERS,
    Schedule,
    Stop,
)

TRIALS_PER_ANCHOR = 1.7  # 39 at the 24 anchors of config.yaml; data that scatter take more
# Networks that are evaluated at every epoch all train until the slowest seed of a job is finished. In a batch
# of five, its minimum comes later than the window's middle by this factor. In a trial of three seeds, with
# rates that are still wrong included, the factor is 1.1.
SLOWEST = 1.2

NUMBER = 4  # bytes: everything is float32
# Copies of a batch's parameters that are in memory at the peak: parameters and Adam's two moments at three
# epochs, the parameters of the minimum, XLA's temporaries, and as much again that the allocator keeps between
# arrays of changing lifetimes. From the peaks of full-scale-mnist.yaml at widths 1024 and 2048 (22 to 33).
# glibc would give that memory back (MALLOC_MMAP_THRESHOLD_), but training then takes 15 % more time.
COPIES_OF_PARAMETERS = 28
PIECES_AT_ONCE = 1.8  # copies of J's pieces: the convolutional network of App. D.2 peaks at 850 MiB
SEED_OVERHEAD = 45e3  # bytes of a seed's groups, headers and attributes in a run file
PACKED = 0.93  # the share of the bytes of float32 values that is left after gzip
PACKING_RATE = 5e7  # bytes of images per second that a dataset's file takes: MNIST, 55 MB, in 1.1 s

# Assumed, not measured: a quarter of an A100's rate in float32 without TF32 (19.5·10¹²), since the products
# are small; and fifty kernels of ten microseconds for an update of a small network.
GPU_OPERATIONS_PER_SECOND = 5e12
GPU_SECONDS_PER_UPDATE = 5e-4


class Sizes(NamedTuple):
    """A dataset's image shape (height, width, channels), and its numbers of classes and of samples."""

    image_shape: tuple[int, int, int]
    classes: int
    samples: int
    pool: int
    test: int


class Price(NamedTuple):
    """What a job costs: seconds of one core by what they are spent on; peak memory and disk in bytes."""

    seconds: Mapping[str, float]
    gpu_seconds: float
    memory: float
    disk: float

    @property
    def core_seconds(self) -> float:
        """All seconds of one core together."""
        return sum(self.seconds.values())


def dataset_price(sizes: Sizes) -> Price:
    """The price of fetching a dataset, or of splitting it: one file, priced as if it were not compressed."""
    images = float(sizes.samples * math.prod(sizes.image_shape))
    return Price({"packing": images / PACKING_RATE}, 0.0, 4 * images, images)


def calibration_price(settings: CalibrationSettings, sizes: Sizes, units: UnitCosts) -> Price:
    """The price of trials of a few seeds at every anchor, without NTKs; each anchor starts up anew."""
    seeds, target, nothing = range(settings.seeds), settings.target_epoch, Measurement.nothing()
    trials = [
        _price(point, settings.recipe, nothing, seeds, target, sizes, units) for point in settings.points
    ]
    start_up, training = (sum(one.seconds[part] for one in trials) for part in ("start-up", "training"))
    on_gpu = sum(trial.gpu_seconds for trial in trials) - start_up
    seconds = {"start-up": start_up, "training": TRIALS_PER_ANCHOR * training}
    memory = max(trial.memory for trial in trials)
    return Price(seconds, start_up + TRIALS_PER_ANCHOR * on_gpu, memory, disk=10e3)


def training_price(
    settings: TrainingSettings, seeds: range, target_epoch: float, sizes: Sizes, units: UnitCosts
) -> Price:
    """The price of training ``seeds`` at one point, and of measuring their NTKs.

    Where training follows the minimum, it is expected around ``target_epoch``. The batch that starts with
    seed 0 compiles the programs.
    """
    point = Point(settings.network, settings.data)
    return _price(point, settings.recipe, settings.measurement, seeds, target_epoch, sizes, units)


def _price(
    point: Point,
    recipe: Recipe,
    measured: Measurement,
    seeds: range,
    target_epoch: float,
    sizes: Sizes,
    units: UnitCosts,
) -> Price:
    members = _Members(point, recipe, len(seeds), sizes)
    epochs, samples = members.epochs(target_epoch), measured.ntk_samples
    schedule = Schedule(
        Stop.fixed(epochs),
        evaluate_every=members.evaluate_every,
        trace_every=measured.trace_every,
        snapshots=tuple(epoch for epoch in measured.spectrum_epochs if epoch <= epochs),
        updates_after=measured.alignments,
        minimum=recipe.stop.patience > 1,  # otherwise all members train for a fixed number of epochs
    )
    count, rows = _counts(measured, schedule, len(seeds)), samples * sizes.classes
    kernels = count["NTKs"] * operations.kernel(members.layers, samples)
    work: dict[Work, int] = {
        "training": members.operations(epochs, schedule),
        "NTKs": kernels + count["traces"] * operations.trace(members.layers, samples),
    }
    waiting = {
        "start-up": units.start_up(compiled=seeds.start > 0),
        "spectra": sum(count[part] * units.spectrum(part, rows) for part in ("eigenvalues", "alignments")),
    }
    seconds = waiting | {part: units.work(part, members.layers, own) for part, own in work.items()}
    seconds["training"] += epochs * members.updates * units.update(members.parameters, members.full_batch)
    on_gpu = sum(waiting.values()) + sum(work.values()) / GPU_OPERATIONS_PER_SECOND
    on_gpu += epochs * members.updates / members.at_once * GPU_SECONDS_PER_UPDATE
    pieces = PIECES_AT_ONCE * min(NUMBER * operations.pieces(members.layers, samples), PIECES_MEMORY)
    matrices = NUMBER * count["held"] * rows**2
    memory = units.measured["start_up"]["memory"] + members.memory() + matrices + pieces
    saved = len(range(seeds.start, min(seeds.stop, measured.save_parameters))) * members.parameters
    curves = len(seeds) * (5 * (epochs + 1) + 2 * members.train) + 2 * count["traces"]
    numbers = curves + count["eigenvalues"] * rows + saved
    return Price(seconds, on_gpu, memory, disk=PACKED * NUMBER * numbers + len(seeds) * SEED_OVERHEAD)


def _counts(measured: Measurement, schedule: Schedule, members: int) -> dict[str, int]:
    """How often each measurement is made of ``members``, and how many NTKs are held at once."""
    draws, minima = members * measured.ntk_draws, members * measured.minimum
    snapshots, every = draws * len(schedule.snapshots), schedule.trace_every
    return {
        "traces": members * len(range(0, schedule.stop.max_epochs, every)) if every else 0,
        "NTKs": draws * len(schedule.yields) + minima,
        "eigenvalues": snapshots + 2 * minima,  # at the minimum those of Θ too
        "alignments": snapshots * measured.alignments,
        # A snapshot holds all NTKs, alignments also those one update later, and LAPACK works on four more.
        "held": draws * (1 + measured.alignments) + 4,
    }


class _Members:
    """The ``count`` members of a job at one point, trained by ``recipe``: their network, and their costs."""

    def __init__(self, point: Point, recipe: Recipe, count: int, sizes: Sizes) -> None:
        test = min(point.data.test_samples or sizes.test, sizes.test)
        self._sizes, self._count, self._stop = sizes._replace(test=test), count, recipe.stop
        self.evaluate_every = evaluated_every(recipe, point.network)
        self.train, batch_size = point.data.train_samples, recipe.batch_size
        resized, shape = point.data.image_size, sizes.image_shape
        if resized:
            shape = (resized.pixels, resized.pixels, shape[2])
        self._pixels = math.prod(shape) + (math.prod(sizes.image_shape) if resized else 0)
        self.layers = operations.layers_of(point.network, shape, sizes.classes)
        self.parameters = operations.parameters(self.layers)
        self.full_batch = batch_size is None
        self._on_grid = not self.full_batch or self.evaluate_every > 1
        vectorised = not self._on_grid and self.parameters < VECTORISED_PARAMETERS
        self.at_once = count if vectorised else 1
        self._batch = min(batch_size or self.train, self.train)
        self.updates = count * math.ceil(self.train / self._batch)  # in an epoch

    def epochs(self, minimum: float | int) -> int:
        """Epochs that a member trains for, if its minimum is expected at epoch ``minimum``."""
        last = self._stop.last(math.ceil(minimum if self._on_grid else SLOWEST * minimum))
        step = self.evaluate_every if self._on_grid else EPOCHS_PER_CALL
        checked = step * math.ceil(last / step) if self._on_grid else step * math.ceil((last + 1) / step)
        return min(checked, self._stop.max_epochs)

    def operations(self, epochs: int, schedule: Schedule) -> int:
        """Operations of training. The backward pass takes two products for each of the forward pass.

        With full batches the update yields the train loss; with mini-batches it is evaluated separately.
        """
        test, searched = self._sizes.test, 0
        if self.full_batch and not self._on_grid:
            tested = epochs * test
        else:
            evaluated = schedule.grid if self.full_batch else schedule.evaluated
            tested = len(evaluated) * (self.train + test) + schedule.search_evaluations * test
            # Both passes of the search start from the grid's epoch before the minimum.
            searched = 4 * self.evaluate_every if schedule.search_evaluations else 0
        passes = 3 * (epochs + searched) * self.train + tested
        return self._count * passes * operations.forward(self.layers)

    def memory(self) -> int:
        """Bytes of images, of parameters in all their copies, and of the layers' outputs."""
        # The pool is held as floats and, while it is read, as bytes; test and training sets are held twice.
        test = self._sizes.test
        images = (NUMBER + 1) * self._sizes.pool + 2 * NUMBER * (test + self._count * self.train)
        evaluated = min(EVALUATED_AT_ONCE, test) if self._on_grid else test
        passes = self.at_once * (3 * self._batch + evaluated)
        copies = COPIES_OF_PARAMETERS * self._count * self.parameters
        return self._pixels * images + NUMBER * (copies + passes * operations.activations(self.layers))
