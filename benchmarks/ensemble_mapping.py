"""Training an ensemble vectorised or one member after the other: milliseconds per member and epoch.

    python benchmarks/ensemble_mapping.py

`ntklens.training.schedules.VECTORISED_PARAMETERS` rests on these numbers. The two ways alternate on one
thread; times are medians of five rounds, without compilation. As in config/config.yaml, three-layer networks
train on 100 samples, with the loss of 500 test samples, and the trace on 128 of them every second epoch.
"""

import statistics
import time

import jax
import numpy as np
from full_batch_case import experiment, states
from ntklens.data.subsets import Subset
from ntklens.machine.threads import use_threads
from ntklens.networks.architectures import NetworkSettings
from ntklens.studies.experiments import Experiment
from ntklens.training import full_batch as training
from ntklens.training.schedules import Schedule, Stop

WIDTHS = (8, 16, 32, 64, 128, 256, 512)
MEMBERS = 5
EPOCHS = 60
ROUNDS = 5


def made_up_subset() -> Subset:
    rng = np.random.default_rng(0)
    images = rng.random((1000, 784), dtype=np.float32)
    labels = rng.integers(0, 10, 1000, dtype=np.int32)
    train, test = (images[:500], labels[:500]), (images[500:], labels[500:])
    return Subset(*train, *test, classes=10, image_shape=(28, 28, 1))


def milliseconds(case: Experiment, vectorised: bool) -> float:
    """Milliseconds per member and epoch, without the first call, which compiles."""
    training.VECTORISED_PARAMETERS = float("inf") if vectorised else 0
    schedule = Schedule(
        Stop(window_first=EPOCHS, window_last=EPOCHS, patience=1.2, max_epochs=EPOCHS), trace_every=2
    )
    times: list[tuple[int, float]] = []
    for epoch, members in states(case, MEMBERS, schedule, ntk_samples=128):
        jax.block_until_ready(members.params)
        times.append((epoch, time.perf_counter()))
    (first, begin), (last, end) = times[1], times[-1]
    return 1000 * (end - begin) / (last - first) / MEMBERS


def main() -> None:
    use_threads(1)
    subset = made_up_subset()
    print(f"{'width':>6} {'parameters':>11} {'vectorised':>11} {'in turn':>8}   ms per member and epoch")
    for width in WIDTHS:
        case = experiment(NetworkSettings(hidden_layers=2, width=width), 100, subset)
        rounds = [[milliseconds(case, way) for way in (True, False)] for _ in range(ROUNDS)]
        vectorised, in_turn = (statistics.median(times) for times in zip(*rounds, strict=True))
        parameters = 784 * width + width * width + 10 * width + 2 * width + 10
        print(f"{width:>6} {parameters:>11} {vectorised:>11.3f} {in_turn:>8.3f}", flush=True)


if __name__ == "__main__":
    main()
