"""What a Snakemake job costs: core-seconds, GPU-seconds, memory and disk, by its settings and its dataset.

Settings are those of a training job or a calibration (`ntklens.planning.settings`). How often a unit occurs
follows from them or, where it depends on the outcome, from what the default config's runs turned out to do.
A job keeps one core busy. On a GPU nothing was measured: `Price.gpu_seconds` is an assumption.
"""

import math
from typing import NamedTuple

from ntklens.costs import operations
from ntklens.kernel.memory import PIECES_MEMORY
from ntklens.training.schedules import EPOCHS_PER_CALL, VECTORISED_PARAMETERS, Schedule

TRIALS_PER_ANCHOR = 1.7  # 54 trials at the 32 anchors of config.yaml and reduced.yaml
# All seeds of a job go on until the slowest is finished. Its minimum comes that much later than the
# window's middle: in a batch of five; in a trial of three seeds, rates still off included, 1.1.
SLOWEST = 1.2

NUMBER = 4  # bytes: everything is float32
# The parameters of a batch in one form or another at the peak: parameters, Adam's two moments and
# the minimum's, each before and after a call, and what XLA holds within: from the default config's
# jobs of widths 512 and 1024, by their peak memory (13 to 19).
COPIES_OF_PARAMETERS = 16
PIECES_AT_ONCE = 1.8  # copies of J's pieces: the convolutional network of App. D.2 peaks at 850 MiB
SEED_OVERHEAD = 45e3  # bytes of a seed's groups, headers and attributes in a run file
PACKED = 0.93  # of float32 values that gzip leaves
PACKING_RATE = 5e7  # bytes of images per second that a dataset's file takes: MNIST, 55 MB, in 1.1 s

# Assumed, not measured: a quarter of what an A100 reaches in float32 without TF32 (19.5·10¹²), as the
# products are small, and fifty kernels of ten microseconds for an update of a small network.
GPU_OPERATIONS_PER_SECOND = 5e12
GPU_SECONDS_PER_UPDATE = 5e-4


class Sizes(NamedTuple):
    """A dataset's image shape (height, width, channels), and its numbers of classes and of samples."""

    image_shape: tuple
    classes: int
    samples: int
    pool: int
    test: int


class Price(NamedTuple):
    """What a job costs: ``seconds`` of one core by what they are spent on; peak memory and disk in bytes."""

    seconds: dict
    gpu_seconds: float
    memory: float
    disk: float

    @property
    def core_seconds(self):
        return sum(self.seconds.values())


def dataset_price(sizes):
    """The price of fetching a dataset, and of splitting it: a file each, here without what packing saves."""
    images = float(sizes.samples * math.prod(sizes.image_shape))
    return Price({"packing": images / PACKING_RATE}, 0.0, 4 * images, images)


def calibration_price(settings, sizes, units):
    """The price of trials of a few seeds at every anchor, without NTKs; each anchor starts up anew."""
    measurement = dict.fromkeys(("ntk_samples", "ntk_draws", "trace_every", "minimum", "save_parameters"), 0)
    measurement |= {"spectrum_epochs": [], "alignments": False}
    common = {"recipe": settings["recipe"], "measurement": measurement}
    seeds, target = range(settings["seeds"]), settings["target_epoch"]
    trials = [training_price(common | point, seeds, target, sizes, units) for point in settings["points"]]
    start_up, training = (sum(one.seconds[part] for one in trials) for part in ("start-up", "training"))
    on_gpu = sum(trial.gpu_seconds for trial in trials) - start_up
    seconds = {"start-up": start_up, "training": TRIALS_PER_ANCHOR * training}
    memory = max(trial.memory for trial in trials)
    return Price(seconds, start_up + TRIALS_PER_ANCHOR * on_gpu, memory, disk=10e3)


def training_price(settings, seeds, target_epoch, sizes, units):
    """The price of training a ``range`` of seeds at one point, and of measuring their NTKs.

    Where training follows the minimum, that lies around ``target_epoch``. Seed 0's batch compiles programs.
    """
    members, measured = _Members(settings, len(seeds), sizes), settings["measurement"]
    epochs, samples = members.epochs(SLOWEST * target_epoch), measured["ntk_samples"]
    schedule = Schedule.fixed(
        epochs,
        evaluate_every=settings["recipe"]["evaluate_every"],
        trace_every=measured["trace_every"],
        snapshots=tuple(measured["spectrum_epochs"]),
        updates_after=measured["alignments"],
    )
    count, rows = _counts(measured, schedule, len(seeds)), samples * sizes.classes
    kernels = count["NTKs"] * operations.kernel(members.layers, samples)
    work = {
        "training": members.operations(epochs, len(schedule.evaluated)),
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
    saved = len(range(seeds.start, min(seeds.stop, measured["save_parameters"]))) * members.parameters
    curves = len(seeds) * (5 * len(schedule.evaluated) + 2 * members.train) + 2 * count["traces"]
    numbers = curves + count["eigenvalues"] * rows + saved
    return Price(seconds, on_gpu, memory, disk=PACKED * NUMBER * numbers + len(seeds) * SEED_OVERHEAD)


def _counts(measured, schedule, members):
    """How often so many ``members`` are measured in what way, and how many NTKs they hold at once."""
    draws, minima = members * measured["ntk_draws"], members * measured["minimum"]
    snapshots, every = draws * len(schedule.snapshots), schedule.trace_every
    return {
        "traces": members * len(range(0, schedule.max_epochs, every)) if every else 0,
        "NTKs": draws * len(schedule.yields) + minima,
        "eigenvalues": snapshots + 2 * minima,  # at the minimum those of Θ, too
        "alignments": snapshots * measured["alignments"],
        # A snapshot holds all; alignments hold those of one update later too; LAPACK works on four more.
        "held": draws * (1 + measured["alignments"]) + 4,
    }


class _Members:
    """``count`` members in training by a job's ``settings``: their network, and what all of them take."""

    def __init__(self, settings, count, sizes):
        self._sizes, self._count, self._stop = sizes, count, settings["recipe"]["stop"]
        self.train, batch_size = settings["data"]["train_samples"], settings["recipe"]["batch_size"]
        resized, shape = settings["data"]["image_size"], sizes.image_shape
        if resized:
            shape = (resized["pixels"], resized["pixels"], shape[2])
        self._pixels = math.prod(shape) + (math.prod(sizes.image_shape) if resized else 0)
        self.layers = operations.layers_of(settings["network"], shape, sizes.classes)
        self.parameters = operations.parameters(self.layers)
        self.full_batch = batch_size is None
        vectorised = self.full_batch and self.parameters < VECTORISED_PARAMETERS
        self.at_once = count if vectorised else 1
        self._batch = min(batch_size or self.train, self.train)
        self.updates = count * math.ceil(self.train / self._batch)  # in an epoch

    def epochs(self, slowest):
        """Epochs that all go through, the minimum of the slowest being at epoch ``slowest``."""
        if "epochs" in self._stop:
            return self._stop["epochs"]
        last = max(self._stop["window_last"], self._stop["patience"] * slowest)
        last = min(math.ceil(last), self._stop["max_epochs"])
        return EPOCHS_PER_CALL * math.ceil((last + 1) / EPOCHS_PER_CALL) if self.full_batch else last

    def operations(self, epochs, evaluations):
        """Operations of training: backwards a product has two. Only full batches know their train loss."""
        test = self._sizes.test
        tested = epochs * test if self.full_batch else evaluations * (self.train + test)
        return self._count * (3 * epochs * self.train + tested) * operations.forward(self.layers)

    def memory(self):
        """Bytes of images, of parameters in all their copies, and of what the layers put out."""
        # The pool is held as numbers and, while it is read, as bytes; test and training sets are held twice.
        test = self._sizes.test
        images = (NUMBER + 1) * self._sizes.pool + 2 * NUMBER * (test + self._count * self.train)
        passes = self.at_once * (3 * self._batch + (test if self.full_batch else 0))
        copies = COPIES_OF_PARAMETERS * self._count * self.parameters
        return self._pixels * images + NUMBER * (copies + passes * operations.activations(self.layers))
