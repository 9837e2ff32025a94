"""What `make estimate` and requests to a cluster rest on: workflow/ntklens/unit-costs.json. Five minutes.

    python benchmarks/unit_costs.py

Seconds are this process's CPU time on one thread, the least of several rounds: on a busy machine they
come out up to a half larger, where wall time is a multiple. Everything goes through the workflow's own
code, on made-up images of the real shapes; what a job takes beyond its units (start-up, compilation) is
measured by the rules' scripts with next to no work.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from importlib.metadata import version
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from ntklens.costs.operations import forward, layers_of, parameters
from ntklens.costs.units import UNIT_COSTS
from ntklens.data.subsets import Subset
from ntklens.kernel.ntk import ntk_matrix
from ntklens.machine import processor
from ntklens.machine.threads import use_threads
from ntklens.networks.modules import build_network, initial_parameters
from ntklens.spectrum.alignments import alignments
from ntklens.spectrum.effective_rank import effective_rank
from ntklens.spectrum.eigenvalues import eigenvalues, normalised
from ntklens.storage.files import read_json, write_json
from ntklens.storage.hdf5 import add_dataset, new_file
from ntklens.studies.experiment import Point
from ntklens.training import mini_batch as sgd
from ntklens.training.full_batch import Adam, Samples
from ntklens.training.schedules import EPOCHS_PER_CALL, VECTORISED_PARAMETERS, Schedule

ROOT = Path(__file__).resolve().parent.parent
LAYERS = {"convolutions": 0, "filters": 32, "kernel_size": 3, "pooling": "max"}
DENSE = {**LAYERS, "hidden_layers": 2}
SCALING = [((8, 8, 1), 8), *(((28, 28, 1), width) for width in (8, 64, 256, 1024, 4096))]  # images, width
NTK_SAMPLES, CLASSES = 128, 10
TRAIN, TEST = 100, 500  # samples
NOISE_NETWORKS = {
    "dense": {**LAYERS, "hidden_layers": 3, "width": 256, "initialisation": "xavier-uniform"},
    "convolutional": {
        **LAYERS,
        "convolutions": 3,
        "hidden_layers": 1,
        "width": 64,
        "initialisation": "he-uniform",
    },
}
NOISE_SHAPES = [(32, 32, 3), (28, 28, 1)]
NOISE_CLASSES, NOISE_NTK_SAMPLES, BATCHES = 4, 400, (32, 128)
ADAM = Adam(0.9, 0.999, 1e-8)
ROUNDS = 3
RESOLVED = 1e-8  # seconds: a difference of two times may come out at nothing or less


def least_seconds(call, rounds=ROUNDS):
    """CPU seconds of ``call``, the least of several, after one that compiles."""
    call()
    return min(_seconds(call) for _ in range(rounds))


def _seconds(call):
    begin = time.process_time()
    call()
    return time.process_time() - begin


def made_up_subset(image_shape, train, test, ntk_samples, classes):
    rng = np.random.default_rng(0)

    def samples(count):
        images = rng.random((count, int(np.prod(image_shape))), dtype=np.float32)
        return images, rng.integers(0, classes, count, dtype=np.int32)

    return Subset(*samples(train), *samples(test), ntk_samples, classes, tuple(image_shape))


def epoch_seconds(network, image_shape, members, train, test, trace_every, large):
    """Of one epoch of one member. Long epochs are timed one by one, short ones by the chunk."""
    chunk, rounds = (1, 4) if large else (EPOCHS_PER_CALL, 4)
    epochs = chunk * rounds
    subset = made_up_subset(image_shape, train, test, NTK_SAMPLES, CLASSES)
    point = Point(network, train, vary_data=False, vary_initialisation=True)
    snapshots = tuple(range(epochs)) if large else ()
    schedule = Schedule(epochs, 1.0, epochs, trace_every, snapshots)
    times = {}
    for epoch, state in point.train(subset, range(members), ADAM, 1e-5, schedule):
        jax.block_until_ready(state.params)
        times[epoch] = time.process_time()
    marks = [times[chunk * number] for number in range(1, rounds + 1) if chunk * number in times]
    return min(np.diff(marks)) / chunk / members


def scaling_unit(image_shape, width):
    """Seconds a member: of a training and a test sample, of an epoch beyond these, of a trace, of an NTK."""
    network = {**DENSE, "width": width}
    layers = layers_of(network, image_shape, CLASSES)
    large = forward(layers) > 1e6
    members = 5 if parameters(layers) < VECTORISED_PARAMETERS else 1 if large else 2
    # Samples that make an epoch so much longer that the slope is beyond the noise, within seconds in all.
    more = int(np.clip((6e10 if large else 1e9) / forward(layers), 1000, 4000 if large else 8000))
    timed = partial(epoch_seconds, network, image_shape, members, large=large)
    base = timed(TRAIN, TEST, 0)
    test_sample = (timed(TRAIN, TEST + more, 0) - base) / more
    train_sample = (timed(TRAIN + more, TEST, 0) - base) / more
    return {
        "network": network,
        "image_shape": image_shape,
        "members": members,
        "train_sample": max(train_sample, RESOLVED),
        "test_sample": max(test_sample, RESOLVED),
        "update": max(base - TRAIN * train_sample - TEST * test_sample, RESOLVED),
        "trace": max(timed(TRAIN, TEST, 1) - base, RESOLVED),
        "kernel": kernel_seconds(network, image_shape, NTK_SAMPLES, CLASSES)[0],
    }


def kernel_seconds(network, image_shape, samples, classes, seed=0):
    """Of one triangle of Θ, and Θ."""
    model = build_network(network, image_shape, classes)
    x = jnp.asarray(made_up_subset(image_shape, 1, samples, samples, classes).test_images)
    params = initial_parameters(model, x.shape[1], seed)
    kernel = jax.jit(lambda params: ntk_matrix(model, params, x, lower=True))
    return least_seconds(lambda: kernel(params).block_until_ready()), np.array(kernel(params))


def spectrum_unit(theta, after, samples):
    """Seconds of the normalised NTK's eigenvalues, and of an NTK's alignments before and after an update."""
    labels = np.random.default_rng(0).integers(0, len(theta) // samples, samples)
    count = round(effective_rank(eigenvalues(normalised(theta))))
    return {
        "rows": len(theta),
        "top_eigenvectors": count,
        "eigenvalues": least_seconds(lambda: eigenvalues(normalised(theta))),
        "alignments": least_seconds(lambda: alignments(theta, after, labels, count)),
    }


def noise_unit(network, image_shape):
    """Seconds of one sample in a step, of what a step takes beyond, of evaluating one sample, of an NTK."""
    subset = made_up_subset(image_shape, 1000, 1000, NOISE_NTK_SAMPLES, NOISE_CLASSES)
    model = build_network(network, image_shape, NOISE_CLASSES)
    samples = Samples(jnp.asarray(subset.pool_images), jnp.asarray(subset.pool_labels))
    params = initial_parameters(model, samples.images.shape[1], 0)

    def step_seconds(batch_size):
        optimiser = sgd.Sgd(0.001, 0.9, batch_size)
        few = Samples(samples.images[: 4 * batch_size], samples.labels[: 4 * batch_size])
        epochs = {}
        for epoch, state in sgd.train(model, optimiser, params, few, 4, range(5), seed=0):
            jax.block_until_ready(state)
            epochs[epoch] = time.process_time()
        return min(np.diff(list(epochs.values()))[1:]) / 4

    small, large = map(step_seconds, BATCHES)
    sample = (large - small) / (BATCHES[1] - BATCHES[0])
    return {
        "network": network,
        "image_shape": image_shape,
        "step_sample": max(sample, RESOLVED),
        "step": max(large - BATCHES[1] * sample, RESOLVED),
        "evaluated_sample": least_seconds(lambda: sgd.evaluate(model, params, samples)) / len(samples.labels),
        "kernel": kernel_seconds(network, image_shape, NOISE_NTK_SAMPLES, NOISE_CLASSES)[0],
    }


def write_made_up_subset(path, image_shape, classes):
    """The file of a small subset, as `subsample` writes it."""
    subset = made_up_subset(image_shape, 200, 100, 16, classes)
    with new_file(path, "made-up images") as file:
        for role in ("pool", "test"):
            images = (255 * getattr(subset, f"{role}_images")).astype(np.uint8)
            add_dataset(file, f"{role}_images", images, "made up", "1/255")
            add_dataset(file, f"{role}_labels", getattr(subset, f"{role}_labels"), "made up")
        file.attrs.update(ntk_samples=16, classes=classes, white=255, shape=image_shape)


def run_script(name, arguments, cache=None):
    """CPU seconds and peak bytes of a rule's script in a process of its own."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}
    variables.pop("NTKLENS_COMPILATION_CACHE", None)
    if cache:
        variables["NTKLENS_COMPILATION_CACHE"] = str(cache)
    command = [sys.executable, str(ROOT / "workflow/scripts" / name), *arguments]
    process = subprocess.Popen(command, env=variables, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(command)} ended with status {status}")
    return {"seconds": usage.ru_utime + usage.ru_stime, "memory": usage.ru_maxrss * 1024}


def start_up():
    """Of each kind of job, with next to no work: the lesser of two."""
    first, second = _start_up(), _start_up()
    return {
        kind: {key: min(value, second[kind][key]) for key, value in usage.items()}
        for kind, usage in first.items()
    }


def _start_up():
    """Training three times: nothing compiled, compiled for another data size, and all compiled."""
    with tempfile.TemporaryDirectory() as folder:
        subset, cache = Path(folder, "subset.h5"), Path(folder, "cache")
        write_made_up_subset(subset, (28, 28, 1), CLASSES)
        common = ["--subset", str(subset), "--out", str(Path(folder, "out"))]

        def train(samples, cache):
            settings = json.dumps(train_settings(samples))
            return run_script("train.py", [*common, "--settings", settings, "--seeds", "0", "4"], cache)

        def calibrate(widths):
            return run_script(
                "calibrate.py", [*common, "--settings", json.dumps(calibration_settings(widths))]
            )

        measured = {
            "train": train(TRAIN, cache),
            "train_other_size": train(TRAIN + 20, cache),
            "train_compiled": train(TRAIN, cache),
        }
        one, two = calibrate([8]), calibrate([8, 12])
        measured["calibrate"] = {**one, "seconds": 2 * one["seconds"] - two["seconds"]}
        measured["calibrate_anchor"] = {"seconds": two["seconds"] - one["seconds"]}
        write_made_up_subset(subset, (32, 32, 3), NOISE_CLASSES)
        for name, network in NOISE_NETWORKS.items():
            settings = json.dumps(noise_settings(network))
            arguments = [*common, "--settings", settings, "--seeds", "0", "0"]
            measured[f"noise_{name}"] = run_script("train_noise.py", arguments)
    return measured


def train_settings(samples):
    return {
        "point": vars(Point({**DENSE, "width": 8}, samples, vary_data=False, vary_initialisation=True)),
        "optimizer": vars(ADAM),
        "learning_rate": 1e-5,
        "schedule": vars(Schedule(2, 1.0, 2, trace_every=1, snapshots=(0,))),
        "save_parameters": 1,
    }


def calibration_settings(widths):
    """Every trial succeeds, and takes a few hundred epochs of a small network."""
    point = vars(Point({**DENSE, "width": 8}, TRAIN, vary_data=False, vary_initialisation=True))
    return {
        "points": [
            {"scale": width, "point": {**point, "network": {**DENSE, "width": width}}} for width in widths
        ],
        "optimizer": vars(ADAM),
        "window": {"first": 20, "last": 40},
        "target_epoch": 30,
        "patience": 1.2,
        "max_epochs": 400,
        "seeds": 3,
        "tolerance": 1e6,
        "max_trials": 4,
        "first_rate": 0.02,
    }


def noise_settings(network):
    return {
        "removed_percent": 50,
        "network": network,
        "sgd": {"learning_rate": 0.001, "momentum": 0.9, "batch_size": 32},
        "train_samples": 40,
        "draw_seed": 0,
        "sigma": 0.01,
        "epochs": 1,
        "evaluate_every": 1,
        "spectrum_epochs": [0],
        "ntk_samples": 16,
        "ntk_draws": 1,
    }


def scaling_units():
    return [scaling_unit(shape, width) for shape, width in SCALING]


def spectrum_units():
    """At the rows of the scaling studies and, for eigenvalues alone, of the noise study."""
    wide = {**DENSE, "width": 256}
    before, after = (kernel_seconds(wide, (28, 28, 1), NTK_SAMPLES, CLASSES, seed)[1] for seed in (0, 1))
    noisy = kernel_seconds(NOISE_NETWORKS["dense"], (32, 32, 3), NOISE_NTK_SAMPLES, NOISE_CLASSES)[1]
    return [spectrum_unit(before, after, NTK_SAMPLES), spectrum_unit(noisy, noisy, NOISE_NTK_SAMPLES)]


def noise_units():
    return [noise_unit(network, shape) for network in NOISE_NETWORKS.values() for shape in NOISE_SHAPES]


PARTS = {"start_up": start_up, "scaling": scaling_units, "spectra": spectrum_units, "noise": noise_units}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default=UNIT_COSTS, type=Path)
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=PARTS, help="the others stay as they are"
    )
    args = parser.parse_args()
    use_threads(1)
    measured = read_json(args.out) if args.out.exists() else {}
    measured |= {
        "processor": processor.model(),
        "versions": {name: version(name) for name in ("jax", "numpy", "scipy")},
        "scaling_ntk_samples": NTK_SAMPLES,
        "scaling_outputs": CLASSES,
        "noise_ntk_samples": NOISE_NTK_SAMPLES,
        "noise_outputs": NOISE_CLASSES,
    }
    for part in args.parts:
        measured[part] = PARTS[part]()
        print(part, json.dumps(measured[part], indent=1), flush=True)
        write_json(args.out, measured)


if __name__ == "__main__":
    main()
