"""Defaults that follow from other keys, so that a config need not repeat what it says already.

Numbers of epochs follow the window: they are those of the default window, scaled as its geometric middle.
For the paper's window, 400 to 1000, that gives the paper's 20 epochs of smoothing.
"""

import math
from collections.abc import Mapping
from typing import Any

from ntklens.planning.config.base import MOST_EPOCHS

FIRST, LAST = 160, 400  # of the default window
TIMES_LAST = 3  # epochs at which every seed stops
LATEST = MOST_EPOCHS // TIMES_LAST
# What the default window has.
TEST_EVERY = 16
TRACE_EVERY = 2
SPECTRUM_EPOCHS = (0, 10, 20, 30, 45, 60, 80, 110, 140, 180, 220, 260)
SMOOTHING_EPOCHS = 8
NOISE_SPECTRUM_EPOCHS = (0, 1, 2, 4, 7, 12, 20, 35, 60, 100, 170, 300, 450, 600, 800, 1000)
MIN_MEMBERS = 3
NTK_SAMPLES, NOISE_NTK_SAMPLES = 128, 400


def whole_window(given: Any) -> Any:
    """The keys of a window: if one is given alone, and the other's default does not fit, both."""
    if not isinstance(given, Mapping) or len({"first", "last"} & set(given)) != 1:
        return given
    first, last = given.get("first"), given.get("last")
    if type(first) is int and first >= LAST:
        return {**given, "last": min(math.ceil(first * LAST / FIRST), LATEST)}
    if type(last) is int and 1 < last <= FIRST:
        return {**given, "first": max(last * FIRST // LAST, 1)}
    return given


def max_epochs(training: Mapping[str, Any]) -> int:
    return TIMES_LAST * training["window"].last


def test_every(training: Mapping[str, Any]) -> int:
    return max(round(TEST_EVERY * _scale(training)), 1)


def trace_every(training: Mapping[str, Any]) -> int:
    return max(round(TRACE_EVERY * _scale(training)), 1)


def spectrum_epochs(training: Mapping[str, Any]) -> tuple[int, ...]:
    scaled = (round(epoch * _scale(training)) for epoch in SPECTRUM_EPOCHS)
    return up_to(training["window"].last, tuple(dict.fromkeys(scaled)))


def smoothing_epochs(training: Mapping[str, Any]) -> int:
    """A multiple of the epochs between two traces, as the adaptation rate needs it."""
    step = training["trace_every"]
    return step * max(round(SMOOTHING_EPOCHS * _scale(training) / step), 1)


def noise_spectrum_epochs(entry: Mapping[str, Any]) -> tuple[int, ...]:
    return up_to(entry["epochs"], NOISE_SPECTRUM_EPOCHS)


def up_to(last: int, epochs: tuple[int, ...]) -> tuple[int, ...]:
    """The ``epochs`` if they end by ``last``; otherwise those before it, and ``last``."""
    if epochs[-1] <= last:
        return epochs
    return (*(epoch for epoch in epochs if epoch < last), last)


def min_members(ensemble: Mapping[str, Any]) -> int:
    return min(MIN_MEMBERS, ensemble["seeds"])


def ntk_samples(config: Mapping[str, Any]) -> int:
    return min(NTK_SAMPLES, config["test_samples"])


def noise_ntk_samples(test_samples: int, draws: int) -> int:
    """Samples of one draw: as many as all disjoint draws together can have of the test samples."""
    return max(min(NOISE_NTK_SAMPLES, test_samples // draws), 1)


def _scale(training: Mapping[str, Any]) -> float:
    """How many times later the window lies than the default one."""
    window = training["window"]
    return math.sqrt(window.first * window.last) / math.sqrt(FIRST * LAST)
