"""Progress of a training job, as a line on stderr every few seconds."""

import sys
import time
from collections.abc import Callable, Mapping
from typing import SupportsFloat

INTERVAL = 2.0  # seconds


class Progress:
    """Prints the epoch, mean losses and accuracies, and how many seeds are finished, once per `INTERVAL`."""

    def __init__(self) -> None:
        self._started = self._last = time.monotonic()

    def __call__(
        self, epoch: int, latest: Callable[[], tuple[Mapping[str, SupportsFloat], int, int]]
    ) -> None:
        """Report ``epoch`` if a line is due; ``latest`` is called only then.

        ``latest`` returns mean values by name, the number of finished seeds, and the number of all seeds.
        """
        now = time.monotonic()
        if epoch == 0 or now - self._last < INTERVAL:
            return
        self._last = now
        values, finished, members = latest()
        print(
            f"[{now - self._started:6.1f} s] epoch {epoch}: {described(values)}, "
            f"{finished} of {members} seeds finished",
            file=sys.stderr,
            flush=True,
        )


def described(values: Mapping[str, SupportsFloat]) -> str:
    """Losses and accuracies as text."""
    return (
        f"train loss {values['train_loss']:.4f}, test loss {values['test_loss']:.4f}, "
        f"accuracies {values['train_accuracy']:.3f} and {values['test_accuracy']:.3f}"
    )
