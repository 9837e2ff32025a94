"""Where the training stage's time goes, by share, and what one trace costs in training steps.

    make figures; python benchmarks/training_stage.py

Times, on one thread, each part for every point of the default config (milliseconds a member), and
multiplies it by how often it happened: epochs, traces and spectra are read from the run files in
results/laptop. A job's start-up is what its own record (Snakemake's benchmark files) has left over.
"""

import json
import statistics
import sys
import time
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from ntklens.experiment import Point
from ntklens.ntk import ntk_matrix
from ntklens.paths import benchmark
from ntklens.runtime import use_threads
from ntklens.spectrum import eigenvalues, normalised
from ntklens.subsets import read_subset
from ntklens.training import Adam, Schedule
from ntklens.trajectory import read_run

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "results/laptop"
EPOCHS = 60  # timed, after as many that compile
ROUNDS = 5
WIDTHS = (8, 64, 256, 1024)  # of the table of the trace's cost


class Unit(NamedTuple):
    """Milliseconds a member: of one epoch without a trace, one trace, one NTK, its eigenvalues."""

    epoch: float
    trace: float
    ntk: float
    eigenvalues: float


def milliseconds_an_epoch(point, subset, members, trace_every):
    schedule = Schedule(EPOCHS, patience=1.0, max_epochs=EPOCHS, trace_every=trace_every)
    times = []
    for epoch, state in point.train(subset, range(members), Adam(0.9, 0.999, 1e-8), 1e-4, schedule):
        jax.block_until_ready(state.params)
        times.append((epoch, time.perf_counter()))
    (first, begin), (last, end) = times[1], times[-1]
    return 1000 * (end - begin) / (last - first) / members


def median_milliseconds(call):
    times = []
    for _ in range(ROUNDS + 1):
        begin = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - begin))
    return statistics.median(times[1:])


def units(point, subset, members):
    without, every = (
        statistics.median(milliseconds_an_epoch(point, subset, members, each) for _ in range(ROUNDS))
        for each in (0, 1)
    )
    model, x = point.model(subset), jnp.asarray(subset.ntk_images)
    params = jax.tree.map(lambda leaf: leaf[0], point.initial_parameters(subset, [0]))
    kernel = jax.jit(lambda params: ntk_matrix(model, params, x, lower=True))
    theta = np.asarray(kernel(params))
    return Unit(
        epoch=without,
        trace=every - without,
        ntk=median_milliseconds(lambda: kernel(params).block_until_ready()),
        eigenvalues=median_milliseconds(lambda: eigenvalues(normalised(theta))),
    )


def seconds_of_job(path):
    """Wall time of the job that wrote the run file ``path``."""
    batch = path.relative_to(RESULTS / "runs").with_suffix("")
    record = ROOT / benchmark("laptop", "train", "-".join(batch.parts))
    return float(record.read_text().splitlines()[1].split()[0])


def parts_of_run(path, measured):
    """Seconds of each part of one run file; units are measured once for each network and data size."""
    trajectories = read_run(path)
    import h5py

    with h5py.File(path) as file:
        settings = json.loads(file.attrs["settings"])
    point = Point(**settings["point"])
    dataset = settings["curve"]["dataset"]
    key = dataset, point
    if key not in measured:
        subset = read_subset(RESULTS / f"subsets/{dataset}.h5")
        measured[key] = units(point, subset, len(trajectories))
        print(f"{dataset} {point}: {measured[key]}", file=sys.stderr, flush=True)
    unit = measured[key]
    # The batch goes on until its last member is finished.
    epochs = len(trajectories) * max(len(one.curves["train_loss"]) for one in trajectories)
    every = settings["schedule"]["trace_every"]
    kernels = sum(len(one.spectrum_epoch) + 1 for one in trajectories)
    spectra = sum(len(one.spectrum_epoch) + 2 for one in trajectories)  # at the minimum, Θ's own too
    parts = {
        "training": epochs * unit.epoch,
        "trace": epochs / every * unit.trace,
        "NTK": kernels * unit.ntk,
        "eigenvalues": spectra * unit.eigenvalues,
    }
    return {name: value / 1000 for name, value in parts.items()}


def main():
    use_threads(1)
    subset = read_subset(RESULTS / "subsets/mnist-5k.h5")
    print("one trace, in training steps (a step: loss, gradient, update, test loss; or without test loss)")
    for width in WIDTHS:
        point = Point(2, width, 100, vary_data=False, vary_initialisation=True)
        unit = units(point, subset, members=5)
        print(f"width {width:>5}: {unit.trace / unit.epoch:.2f}   {unit}", flush=True)
    if "--trace" in sys.argv:
        return
    measured, total = {}, {}
    jobs = sorted((RESULTS / "runs").glob("*/*/*/*/*.h5"))
    for path in jobs:
        for name, seconds in parts_of_run(path, measured).items():
            total[name] = total.get(name, 0.0) + seconds
    recorded = sum(seconds_of_job(path) for path in jobs)
    print(f"{len(jobs)} jobs took {recorded:.0f} s of wall time (two at once overlap)")
    for name, seconds in total.items():
        print(f"{name:>12}: {seconds:7.1f} s")


if __name__ == "__main__":
    main()
