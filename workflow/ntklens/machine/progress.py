"""A line on stderr every few seconds while a job trains."""

import sys
import time

INTERVAL = 2.0  # seconds


class Progress:
    """Prints epoch, mean losses and accuracies, and how many seeds are finished, at most every `INTERVAL`."""

    def __init__(self):
        self._started = self._last = time.monotonic()

    def __call__(self, epoch, latest):
        """Report ``epoch``; ``latest()`` gives mean values by name, seeds finished, and seeds in all."""
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


def described(values):
    """Losses and accuracies in words."""
    return (
        f"train loss {values['train_loss']:.4f}, test loss {values['test_loss']:.4f}, "
        f"accuracies {values['train_accuracy']:.3f} and {values['test_accuracy']:.3f}"
    )
