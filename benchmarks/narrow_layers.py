"""The gradient of the training loss, with XLA's form of narrow layers and with ours: milliseconds per update.

    python benchmarks/narrow_layers.py

`ntklens.training.narrow_layers.NARROW` rests on these numbers. Networks have three hidden layers; on one
thread, both forms take turns, and times are of the processor, medians of seven. The second table is of whole
epochs of training, with the loss of 10,000 test samples, as in data scaling.
"""

import statistics
import time
from collections.abc import Callable
from itertools import product
from typing import Any

import jax
import numpy as np
from full_batch_case import experiment, states
from ntklens.data.subsets import Subset
from ntklens.machine.threads import use_threads
from ntklens.networks.architectures import NetworkSettings
from ntklens.networks.modules import build_network, initial_parameters
from ntklens.training import narrow_layers
from ntklens.training.gradients import loss_and_gradient
from ntklens.training.members import Samples
from ntklens.training.schedules import EPOCHS_PER_CALL, Schedule, Stop

SHAPES = ((28, 28, 1), (32, 32, 3))
ROUNDS = 7
FORMS = {"XLA": 0, "ours": 10**9}  # the widest layer that takes our form
HEADINGS = f"{'XLA':>9} {'ours':>9} {'ratio':>6}"


def random_images(samples: int, shape: tuple[int, int, int]) -> Samples:
    rng = np.random.default_rng(0)
    images = rng.random((samples, int(np.prod(shape))), dtype=np.float32)
    return Samples(jax.device_put(images), jax.device_put(np.arange(samples, dtype=np.int32) % 10))


def update(shape: tuple[int, int, int], samples: int, width: int, widest: int) -> Callable[[], Any]:
    """A function that computes one gradient, compiled with our form up to the ``widest`` layers."""
    narrow_layers.NARROW = widest
    model = build_network(NetworkSettings(hidden_layers=3, width=width), shape, 10)
    data = random_images(samples, shape)
    params = initial_parameters(model, data.images.shape[1], 0)
    gradient = jax.jit(lambda params, data: loss_and_gradient(model, params, data)[1])
    jax.block_until_ready(gradient(params, data))
    return lambda: jax.block_until_ready(gradient(params, data))


def milliseconds(call: Callable[[], Any]) -> float:
    begin = time.process_time()
    call()
    return 1000 * (time.process_time() - begin)


def epoch_milliseconds(shape: tuple[int, int, int], samples: int, widest: int, members: int = 2) -> float:
    """Milliseconds of one member's epoch at width 8, without those of the call that compiles."""
    narrow_layers.NARROW = widest
    jax.clear_caches()  # the trainer does not know that NARROW has changed
    images, labels = random_images(samples + 10_000, shape)
    parts = images[:samples], labels[:samples], images[samples:], labels[samples:]
    subset = Subset(*map(np.asarray, parts), classes=10, image_shape=shape)
    case = experiment(NetworkSettings(hidden_layers=3, width=8), samples, subset)
    schedule = Schedule(Stop.fixed(4 * EPOCHS_PER_CALL), minimum=False)
    marks: list[float] = []
    for _, state in states(case, members, schedule, ntk_samples=8):
        jax.block_until_ready(state.params)
        marks.append(time.process_time())
    return 1000 * statistics.median(np.diff(marks)[1:-1]) / EPOCHS_PER_CALL / members


def row(*cells: object, times: dict[str, float]) -> None:
    xla, ours = times["XLA"], times["ours"]
    print(*(f"{cell:>8}" for cell in cells), f"{xla:>9.3f} {ours:>9.3f} {xla / ours:>6.2f}", flush=True)


def main() -> None:
    use_threads(1)
    print(f"{'inputs':>8} {'samples':>8} {'width':>8} {HEADINGS}   ms per update")
    for shape, samples, width in product(SHAPES, (100, 1024, 8192), (8, 16, 32, 64, 128, 256)):
        calls = {form: update(shape, samples, width, widest) for form, widest in FORMS.items()}
        rounds = [{form: milliseconds(call) for form, call in calls.items()} for _ in range(ROUNDS)]
        times = {form: statistics.median(own[form] for own in rounds) for form in FORMS}
        row(int(np.prod(shape)), samples, width, times=times)
    print(f"\n{'inputs':>8} {'samples':>8} {HEADINGS}   ms per epoch, width 8")
    for shape, samples in product(SHAPES, (256, 2048, 8192)):
        times = {form: epoch_milliseconds(shape, samples, widest) for form, widest in FORMS.items()}
        row(int(np.prod(shape)), samples, times=times)


if __name__ == "__main__":
    main()
