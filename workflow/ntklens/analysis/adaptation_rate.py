"""The adaptation rate χ = δ Tr Θ / δ log L_train (Eq. 4), computed as in App. B.4."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer, Real


class AdaptationRate(NamedTuple):
    """χ along training, with the mean epoch and the mean log train loss of each running mean."""

    epoch: Float[np.ndarray, " means"]
    log_train_loss: Float[np.ndarray, " means"]
    rate: Float[np.ndarray, " means"]

    def at(self, epoch: float | int) -> float:
        """χ at ``epoch``, interpolated linearly between the defined values and constant beyond them."""
        defined = np.isfinite(self.rate)
        return float(np.interp(epoch, self.epoch[defined], self.rate[defined]))


def adaptation_rate(
    epoch: Integer[np.ndarray, " epochs"],
    trace: Float[np.ndarray, " epochs"],
    log_train_loss: Float[np.ndarray, " epochs"],
    smoothing_epochs: int,
) -> AdaptationRate:
    """The `AdaptationRate` of curves on a common, evenly spaced grid of epochs.

    The trace and the log train loss are each smoothed by a running mean over ``smoothing_epochs`` and
    differentiated by central differences; χ is the ratio of the two derivatives. The trace grows while the
    loss falls, so χ is negative. It is NaN where the smoothed loss does not change. Raises ValueError if the
    curves are too short for three running means, ``smoothing_epochs`` is not a multiple of the grid's step,
    or the grid is uneven.
    """
    step = epoch[1] - epoch[0]
    if np.any(np.diff(epoch) != step):
        raise ValueError(f"the adaptation rate needs evenly spaced epochs, not {epoch.tolist()}")
    if smoothing_epochs % step:
        raise ValueError(f"a running mean over {smoothing_epochs} epochs does not fit a grid of step {step}")
    length = int(smoothing_epochs // step)
    if len(epoch) < length + 2:
        raise ValueError(f"{len(epoch)} epochs are too few for a running mean over {length} of them")
    smooth_loss = running_mean(log_train_loss, length)
    trace_slope = np.gradient(running_mean(trace, length))
    loss_slope = np.gradient(smooth_loss)
    rate = np.divide(trace_slope, loss_slope, out=np.full(len(loss_slope), np.nan), where=loss_slope != 0)
    return AdaptationRate(running_mean(epoch, length), smooth_loss, rate)


def running_mean(values: Real[np.ndarray, " epochs"], length: int) -> Float[np.ndarray, " means"]:
    """The means of every ``length`` neighbours: ``len(values) − length + 1`` of them."""
    return np.convolve(values, np.full(length, 1 / length), mode="valid")
