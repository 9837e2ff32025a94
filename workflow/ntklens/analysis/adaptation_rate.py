"""The adaptation rate χ = δ Tr Θ / δ log L_train (Eq. 4), computed as App. B.4 says."""

from typing import NamedTuple

import numpy as np


class AdaptationRate(NamedTuple):
    """χ (E,) with the epoch and the log train loss in the middle of each running mean."""

    epoch: np.ndarray
    log_train_loss: np.ndarray
    rate: np.ndarray

    def at(self, epoch):
        """χ at ``epoch``, linear between the nearest defined values; the last one beyond the ends."""
        defined = np.isfinite(self.rate)
        return float(np.interp(epoch, self.epoch[defined], self.rate[defined]))


def adaptation_rate(epoch, trace, log_train_loss, smoothing_epochs):
    """χ along training, from curves (E,) on one evenly spaced grid of epochs.

    Trace and log train loss are each smoothed by a running mean over ``smoothing_epochs``, then
    differentiated along training by central differences, and the ratio of the two derivatives
    taken. The trace grows while the loss falls, so χ is negative. It is NaN where the smoothed
    loss stands still. Raises ValueError where the curves are shorter than three running means
    need, ``smoothing_epochs`` is not a multiple of the grid's step, or the grid is uneven.
    """
    step = epoch[1] - epoch[0]
    if np.any(np.diff(epoch) != step):
        raise ValueError(f"the adaptation rate needs evenly spaced epochs, not {np.asarray(epoch).tolist()}")
    if smoothing_epochs % step:
        raise ValueError(f"a running mean over {smoothing_epochs} epochs does not fit a grid of step {step}")
    length = smoothing_epochs // step
    if len(epoch) < length + 2:
        raise ValueError(f"{len(epoch)} epochs are too few for a running mean over {length} of them")
    smooth_loss = running_mean(log_train_loss, length)
    trace_slope = np.gradient(running_mean(trace, length))
    loss_slope = np.gradient(smooth_loss)
    rate = np.divide(trace_slope, loss_slope, out=np.full(len(loss_slope), np.nan), where=loss_slope != 0)
    return AdaptationRate(running_mean(epoch, length), smooth_loss, rate)


def running_mean(values, length):
    """Means of ``length`` neighbours: ``len(values) − length + 1`` of them."""
    return np.convolve(values, np.full(length, 1 / length), mode="valid")
