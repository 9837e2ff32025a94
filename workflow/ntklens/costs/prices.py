"""What a config costs before it runs: core-seconds, memory and disk of every job, by study and by figure.

Unit times are measured (`unit_costs`); how often a unit occurs follows from the config or, where it
depends on the outcome, from what the default config's runs turned out to do. A job keeps one core busy.
Aggregation, fits and drawing, a few seconds a curve and a figure, are left out. On a GPU nothing was
measured: `Job.gpu_seconds` is an assumption.
"""

import math
from typing import NamedTuple

from ntklens.costs import operations
from ntklens.data.npz_headers import npz_contents
from ntklens.data.registry import facts_of
from ntklens.planning import curves as studies
from ntklens.planning.curves import NOISE, Curve
from ntklens.training.schedules import EPOCHS_PER_CALL, VECTORISED_PARAMETERS, NoiseSchedule

TRIALS_PER_ANCHOR = 1.7  # 54 trials at the 32 anchors of config.yaml and reduced.yaml
# All seeds of a job go on until the slowest is finished. Its minimum comes that much later than the
# window's middle: in a trial of three seeds, rates still off included, and in a batch of five.
SLOWEST_IN_TRIAL = 1.1
SLOWEST_IN_BATCH = 1.2

NUMBER = 4  # bytes: everything is float32
# The parameters of a batch in one form or another at the peak: parameters, Adam's two moments and
# the minimum's, each before and after a call, and what XLA holds within: from the default config's
# jobs of widths 512 and 1024, by their peak memory (13 to 19).
COPIES_OF_PARAMETERS = 16
PIECES_MEMORY = 2**30  # bytes: what `ntklens.kernel.ntk` holds of J's pieces at once
PIECES_AT_ONCE = 1.8  # copies of them: the convolutional network of App. D.2 peaks at 850 MiB
SEED_OVERHEAD = 45e3  # bytes of a seed's groups, headers and attributes in a run file
PACKED = 0.93  # of float32 values that gzip leaves
PACKING_RATE = 5e7  # bytes of images per second that a dataset's file takes: MNIST, 55 MB, in 1.1 s

# Assumed, not measured: a quarter of what an A100 reaches in float32 without TF32 (19.5·10¹²), as the
# products are small, and fifty kernels of ten microseconds for an update of a small network.
GPU_OPERATIONS_PER_SECOND = 5e12
GPU_SECONDS_PER_UPDATE = 5e-4


class Data(NamedTuple):
    """A dataset's images (height, width, channels), and how many there are for what."""

    image_shape: tuple
    classes: int
    samples: int
    pool: int
    test: int

    @property
    def pixels(self):
        return math.prod(self.image_shape)


class Job(NamedTuple):
    """One job: ``seconds`` of one core by what they are spent on; peak memory and disk in bytes."""

    kind: str
    curve: Curve
    scale: int | None
    seconds: dict
    gpu_seconds: float
    memory: float
    disk: float

    @property
    def core_seconds(self):
        return sum(self.seconds.values())


class Total(NamedTuple):
    """Of several jobs: sums, and the largest memory and time of any one."""

    jobs: int
    core_seconds: float
    gpu_seconds: float
    longest: float
    memory: float
    disk: float


def total(jobs):
    return Total(
        jobs=len(jobs),
        core_seconds=sum(job.core_seconds for job in jobs),
        gpu_seconds=sum(job.gpu_seconds for job in jobs),
        longest=max((job.core_seconds for job in jobs), default=0.0),
        memory=max((job.memory for job in jobs), default=0.0),
        disk=sum(job.disk for job in jobs),
    )


def jobs_of(config, units):
    """Every `Job` of a complete config: data, calibrations, runs, in this order for each curve."""
    jobs, data = [], {}
    for curve in studies.curves(config):
        if curve.dataset not in data:
            data[curve.dataset] = data_of(config, curve)
            jobs += data_jobs(data[curve.dataset], curve.dataset)
        jobs += curve_jobs(config, curve, data[curve.dataset], units)
    return jobs


def data_of(config, curve):
    """What is known of a curve's dataset. Raises OSError or DatasetError where a user's file is no good."""
    entry = studies.entry_of(config, curve)
    if studies.is_own_file(entry):
        shape, classes, samples, own_test = npz_contents(entry["dataset"])
        test = min(config["test_samples"], own_test or samples)
        return Data(shape, classes, samples, samples - (own_test or test), test)
    known = facts_of(entry["dataset"])
    test = known.test_size(config["test_samples"])
    return Data(known.shape, known.classes, known.samples, known.pool_size(test), test)


def data_jobs(data, dataset):
    """Fetching a dataset and splitting it: two files, here without what packing saves."""
    size = float(data.samples * data.pixels)
    curve = Curve("data", dataset, "")
    return [
        Job(kind, curve, None, {"packing": size / PACKING_RATE}, 0.0, 4 * size, size)
        for kind in ("fetch", "subsample")
    ]


def curve_jobs(config, curve, data, units):
    """Calibration, unless the config gives a rate, and every batch of seeds at every point."""
    runs = [
        run_job(config, curve, scale, batch, data, units)
        for scale in studies.scales(config, curve)
        for batch in studies.batches(config, curve, scale)
    ]
    if curve.study == NOISE or studies.entry_of(config, curve)["learning_rate"] is not None:
        return runs
    return [calibration_job(config, curve, data, units), *runs]


def run_job(config, curve, scale, batch, data, units):
    """The batch (first, last) of seeds at one point of any study."""
    price = noise_job if curve.study == NOISE else training_job
    return price(config, curve, scale, batch, data, units)


def epochs_of(config, least, slowest):
    """Epochs that seeds go through together, ``least`` being the first at which they may end.

    The minimum of the slowest comes ``slowest`` times later than the window's middle.
    """
    training = config["training"]
    end = training["patience"] * slowest * studies.target_epoch(config)
    last = min(max(least, end), training["max_epochs"])
    return math.ceil((last + 1) / EPOCHS_PER_CALL) * EPOCHS_PER_CALL


def calibration_job(config, curve, data, units):
    """Trials of a few seeds at every anchor, without the NTK."""
    settings = studies.calibration_settings(config, curve)
    members = settings["seeds"]
    epochs = TRIALS_PER_ANCHOR * epochs_of(config, settings["window"]["first"], SLOWEST_IN_TRIAL)
    seconds = {"start-up": units.start_up("calibrate"), "training": 0.0}
    gpu_seconds, memory = 0.0, []
    for anchor in settings["points"]:
        point = anchor["point"]
        layers, train = _layers(point["network"], data), point["train_samples"]
        seconds["start-up"] += units.start_up("calibrate_anchor")
        seconds["training"] += epochs * members * units.epoch(layers, train, data.test)
        gpu_seconds += _gpu_training(layers, train, data.test, members, epochs)
        held = _images(data, train, members) + _ensemble(layers, train, data.test, members)
        memory.append(units.base_memory("calibrate") + held)
    gpu_seconds += seconds["start-up"]
    return Job("calibrate", curve, None, seconds, gpu_seconds, max(memory), disk=10e3)


def training_job(config, curve, scale, batch, data, units):
    """A batch (first, last) of seeds of a scaling study, measured along the way."""
    settings = studies.training_settings(config, curve, scale)
    schedule, point = settings["schedule"], settings["point"]
    layers, train = _layers(point["network"], data), point["train_samples"]
    first, last = batch
    members, samples = last - first + 1, config["ntk_samples"]
    epochs = epochs_of(config, schedule["window_last"], SLOWEST_IN_BATCH)
    snapshots = schedule["snapshots"]
    # At every snapshot and one update later, and at the minimum; there the NTK has a spectrum too.
    kernels = members * (len({*snapshots, *(epoch + 1 for epoch in snapshots)}) + 1)
    spectra, traces = members * (len(snapshots) + 2), members * epochs / schedule["trace_every"]
    rows = samples * data.classes
    kind = _start_up_kind(config, curve, scale, batch)
    seconds = {
        "start-up": units.start_up(kind),
        "training": members * epochs * units.epoch(layers, train, data.test),
        "traces": traces * units.trace(layers, samples),
        "NTKs": kernels * units.kernel(layers, samples),
        "spectra": spectra * units.eigenvalues(rows) + members * len(snapshots) * units.alignments(rows),
    }
    gpu_seconds = _gpu_training(layers, train, data.test, members, epochs)
    gpu_seconds += seconds["start-up"] + seconds["spectra"]
    measuring = traces * operations.trace(layers, samples) + kernels * operations.kernel(layers, samples)
    gpu_seconds += measuring / GPU_OPERATIONS_PER_SECOND
    memory = units.base_memory("train") + _images(data, train, members)
    memory += _ensemble(layers, train, data.test, members) + _kernels(layers, samples, 2 * members + 4)
    curves = 5 * epochs + 2 * epochs / schedule["trace_every"] + train
    numbers = members * (curves + (len(snapshots) + 2) * rows)
    saved = len(range(first, min(last + 1, settings["save_parameters"])))
    numbers += saved * operations.parameters(layers, point["network"]["biases"])
    disk = PACKED * NUMBER * numbers + members * SEED_OVERHEAD
    return Job("train", curve, scale, seconds, gpu_seconds, memory, disk)


def _start_up_kind(config, curve, scale, batch):
    """By what a batch finds compiled: all, the NTK alone (at another size of data or batch), or nothing."""
    first, last = batch
    if first > 0:
        full = last - first == studies.batches(config, curve, scale)[0][1]
        return "train_compiled" if full else "train_other_size"
    smallest = scale == studies.scales(config, curve)[0]
    return "train" if curve.study == "model-scaling" or smallest else "train_other_size"


def noise_job(config, curve, percent, batch, data, units):
    """A batch (first, last) of seeds of the noise study, one after the other."""
    settings = studies.noise_settings(config, curve, percent)
    members = batch[1] + 1 - batch[0]
    network, batch_size = settings["network"], settings["sgd"]["batch_size"]
    layers, train, samples = _layers(network, data), settings["train_samples"], settings["ntk_samples"]
    schedule = NoiseSchedule(
        settings["epochs"],
        settings["evaluate_every"],
        settings["spectrum_epochs"],
        samples,
        settings["ntk_draws"],
    )
    epochs, rows = members * settings["epochs"], samples * data.classes
    kernels = members * len(schedule.spectrum_epochs) * schedule.ntk_draws
    measured, evaluated = members * len(schedule.curve_epochs), train + data.test
    whole, rest = divmod(train, batch_size)
    epoch = whole * units.step(layers, batch_size) + (units.step(layers, rest) if rest else 0.0)
    kind = "noise_convolutional" if operations.is_convolutional(layers) else "noise_dense"
    seconds = {
        "start-up": units.start_up(kind),
        "training": epochs * epoch + measured * units.evaluation(layers, evaluated),
        "NTKs": kernels * units.noise_kernel(layers, samples),
        "spectra": kernels * units.eigenvalues(rows),
    }
    work = epochs * operations.update(layers, train) + kernels * operations.kernel(layers, samples)
    work += measured * evaluated * operations.forward(layers)
    updates = epochs * math.ceil(train / batch_size)
    gpu_seconds = work / GPU_OPERATIONS_PER_SECOND + updates * GPU_SECONDS_PER_UPDATE
    gpu_seconds += seconds["start-up"] + seconds["spectra"]
    memory = units.base_memory(kind) + _images(data, train, 1) + _kernels(layers, samples, 4)
    memory += NUMBER * COPIES_OF_PARAMETERS * operations.parameters(layers)
    numbers = 5 * measured + 2 * members * train + kernels * rows
    disk = PACKED * NUMBER * numbers + members * SEED_OVERHEAD
    return Job("train_noise", curve, percent, seconds, gpu_seconds, memory, disk)


def _layers(network, data):
    return operations.layers_of(network, data.image_shape, data.classes)


def _gpu_training(layers, train, test, members, epochs):
    work = epochs * members * (operations.update(layers, train) + test * operations.forward(layers))
    in_turn = 1 if _vectorised(layers) else members
    return work / GPU_OPERATIONS_PER_SECOND + epochs * in_turn * GPU_SECONDS_PER_UPDATE


def _vectorised(layers):
    return operations.parameters(layers) < VECTORISED_PARAMETERS


def _images(data, train, members):
    """Bytes of the pool as float32 and, while it is read, as bytes; of test and training sets, twice each."""
    return data.pixels * ((NUMBER + 1) * data.pool + 2 * NUMBER * (data.test + members * train))


def _ensemble(layers, train, test, members):
    """Bytes of parameters in all their copies, and of what the layers put out."""
    at_once = members if _vectorised(layers) else 1
    passes = at_once * (test + 3 * train) * operations.activations(layers)
    return NUMBER * (COPIES_OF_PARAMETERS * members * operations.parameters(layers) + passes)


def _kernels(layers, samples, matrices):
    """Bytes of NTKs that are there at once, and of the pieces they are made of, block by block."""
    rows = samples * layers[-1].units
    pieces = min(NUMBER * operations.pieces(layers, samples), PIECES_MEMORY)
    return NUMBER * matrices * rows**2 + PIECES_AT_ONCE * pieces


def jobs_for(jobs, curves):
    """Those of ``jobs`` that ``curves`` need, their data included."""
    datasets = {curve.dataset for curve in curves}
    return [
        job
        for job in jobs
        if job.curve in curves or (job.curve.study == "data" and job.curve.dataset in datasets)
    ]


def by_study(jobs):
    """(study, dataset) -> its jobs, in their order; data first."""
    groups = {}
    for job in sorted(jobs, key=lambda job: job.curve.study != "data"):
        groups.setdefault((job.curve.study, job.curve.dataset), []).append(job)
    return groups


def wall_seconds(jobs, cores):
    """At least: all work shared by ``cores``, or the longest calibration with a run that waits for it."""
    calibration = {job.curve: job.core_seconds for job in jobs if job.kind == "calibrate"}
    chains = [calibration.get(job.curve, 0.0) + job.core_seconds for job in jobs if job.kind != "calibrate"]
    return max(total(jobs).core_seconds / cores, max(chains, default=0.0))
