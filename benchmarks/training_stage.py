"""Shares of the training stage's time, and the cost of one trace in training steps.

    make figures oracle; python benchmarks/training_stage.py

Each part of the work is timed on one thread for every point of the default config, in milliseconds per
member, and multiplied by how often it happened, which the run files in results/laptop tell. What remains of
the jobs' wall time (Snakemake's benchmark files) is start-up, and the time that jobs running at once cost
each other.

For the three-layer curve on mnist-5k the same work is then priced with one process per seed, and the NTK and
its trace by the fastest of neural-tangents' implementations. The price is computed from unit times, because
training every seed in this way would take too long. Its start-up includes the NTK's programs but not those of
training, and its seeds train at our speed.
"""

import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import h5py
import jax
import jax.numpy as jnp
import numpy as np
from full_batch_case import experiment, states
from ntklens.data.subsets import Subset, read_subset
from ntklens.kernel.ntk import ntk_matrix
from ntklens.machine.threads import use_threads
from ntklens.networks.architectures import NetworkSettings
from ntklens.planning.paths import benchmark
from ntklens.spectrum.eigenvalues import eigenvalues, normalised
from ntklens.storage.run_files import read_run
from ntklens.storage.settings_reader import reader_of
from ntklens.studies.experiments import Experiment
from ntklens.studies.jobs import TrainingSettings
from ntklens.training.schedules import Schedule, Stop

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "results/laptop"
EPOCHS = 60  # that are timed, after as many that compile
ROUNDS = 5
NTK_SAMPLES = 128
WIDTHS = (8, 64, 256, 1024)  # in the table of a trace's cost


class Unit(NamedTuple):
    """Milliseconds per member of one epoch without a trace, one trace, one NTK, and its eigenvalues."""

    epoch: float
    trace: float
    ntk: float
    eigenvalues: float


def milliseconds_an_epoch(case: Experiment, members: int, trace_every: int) -> float:
    schedule = Schedule(Stop.fixed(EPOCHS), trace_every=trace_every)
    times: list[tuple[int, float]] = []
    for epoch, state in states(case, members, schedule, NTK_SAMPLES):
        jax.block_until_ready(state.params)
        times.append((epoch, time.perf_counter()))
    (first, begin), (last, end) = times[1], times[-1]
    return 1000 * (end - begin) / (last - first) / members


def median_milliseconds(call: Callable[[], object]) -> float:
    times: list[float] = []
    for _ in range(ROUNDS + 1):
        begin = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - begin))
    return statistics.median(times[1:])


def units(case: Experiment, members: int) -> Unit:
    without, every = (
        statistics.median(milliseconds_an_epoch(case, members, each) for _ in range(ROUNDS))
        for each in (0, 1)
    )
    model, x = case.model, jnp.asarray(case.subset.test_images[:NTK_SAMPLES])
    params = jax.tree.map(lambda leaf: leaf[0], case.initial_parameters([0]))
    kernel = jax.jit(lambda params: ntk_matrix(model, params, x, lower=True))
    theta = np.asarray(kernel(params))
    return Unit(
        epoch=without,
        trace=every - without,
        ntk=median_milliseconds(lambda: kernel(params).block_until_ready()),
        eigenvalues=median_milliseconds(lambda: eigenvalues(normalised(theta))),
    )


def seconds_of_job(path: Path) -> float:
    """Wall time of the job that wrote the run file ``path``."""
    batch = path.relative_to(RESULTS / "runs").with_suffix("")
    record = ROOT / benchmark("laptop", "train", "-".join(batch.parts))
    return float(record.read_text(encoding="utf-8").splitlines()[1].split()[0])


class Run(NamedTuple):
    """How often each part of the work happened in the job of one run file."""

    dataset: str
    network: NetworkSettings
    train_samples: int
    members: int
    epochs: int  # of all members: a batch trains until its last member is finished
    traces: int
    kernels: int
    spectra: int  # two at each minimum: of the normalised NTK and of the NTK itself


def read(path: Path) -> Run:
    trajectories = read_run(path)
    with h5py.File(path) as file:
        settings = reader_of(TrainingSettings)(str(file.attrs["settings"]))
    members = len(trajectories)
    epochs = members * max(len(one.curves["train_loss"]) for one in trajectories)
    kernels = sum(len(one.spectrum.epoch) + 1 for one in trajectories)
    return Run(
        dataset=settings.curve.dataset,
        network=settings.network,
        train_samples=settings.data.train_samples,
        members=members,
        epochs=epochs,
        traces=epochs // settings.measurement.trace_every,
        kernels=kernels,
        spectra=kernels + members,
    )


def priced(run: Run, unit: Unit) -> dict[str, float]:
    """Seconds of each part of the work."""
    parts = {
        "training": run.epochs * unit.epoch,
        "trace": run.traces * unit.trace,
        "NTK": run.kernels * unit.ntk,
        "eigenvalues": run.spectra * unit.eigenvalues,
    }
    return {name: value / 1000 for name, value in parts.items()}


def peer_units(network: NetworkSettings) -> dict[str, float]:
    """The unit times of neural-tangents (training_stage_peer.py) for a network on images of 784 pixels."""
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "workflow"), str(ROOT)])}
    script = Path(__file__).with_name("training_stage_peer.py")
    command = [ROOT / ".venv-oracle/bin/python", script, str(network.hidden_layers), str(network.width)]
    return json.loads(subprocess.check_output(command, env=variables))


def peer_seconds(run: Run, subset: Subset, unit: Unit) -> float:
    """Seconds of the same seeds, each in a process of its own, with neural-tangents' NTK and trace."""
    case = experiment(run.network, run.train_samples, subset)
    alone, peer = units(case, members=1), peer_units(run.network)
    milliseconds = run.epochs * alone.epoch + run.traces * peer["trace"]
    milliseconds += run.kernels * peer["ntk"] + run.spectra * unit.eigenvalues
    return run.members * peer["startup"] + milliseconds / 1000


def report_trace_cost() -> None:
    subset = read_subset(RESULTS / "subsets/mnist-5k.h5")
    print("one trace, in training steps with their test loss; milliseconds per member")
    for width in WIDTHS:
        unit = units(experiment(NetworkSettings(hidden_layers=2, width=width), 100, subset), members=5)
        print(f"width {width:>5}: {unit.trace / unit.epoch:.2f}   {unit}", flush=True)


def main() -> None:
    use_threads(1)
    report_trace_cost()
    measured: dict[tuple[str, NetworkSettings, int], Unit] = {}
    total: dict[str, float] = {}
    recorded, ours, peers = 0.0, 0.0, 0.0
    jobs = sorted((RESULTS / "runs").glob("*-scaling/*/*-layer/*/*.h5"))
    for path in jobs:
        run, seconds = read(path), seconds_of_job(path)
        subset = read_subset(RESULTS / f"subsets/{run.dataset}.h5")
        key = run.dataset, run.network, run.train_samples
        if key not in measured:
            measured[key] = units(experiment(run.network, run.train_samples, subset), run.members)
        unit = measured[key]
        for name, part in priced(run, unit).items():
            total[name] = total.get(name, 0.0) + part
        recorded += seconds
        if "model-scaling/mnist-5k/three-layer" in str(path):
            ours += seconds
            peers += peer_seconds(run, subset, unit)
    print(f"{len(jobs)} jobs, {recorded:.0f} s of wall time in all (two at once on two cores)")
    total["start-up and the rest"] = recorded - sum(total.values())
    for name, seconds in total.items():
        print(f"{name:>22}: {seconds:7.1f} s, {100 * seconds / recorded:4.1f} %")
    print(f"mnist-5k, three-layer: {ours:.0f} s; one process per seed with neural-tangents {peers:.0f} s,")
    print(f"{peers / ours:.1f} × as much")


if __name__ == "__main__":
    main()
