"""The adaptation rate χ = δ Tr Θ / δ log L_train (Eq. 4), computed as in App. B.4.

The running means and the central differences are linear in the curves. So the rate of any weighted mean of
members is the ratio of the weighted means of two `Slopes`, which are computed once for each member.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer, Real


class Slopes(NamedTuple):
    """The slopes of the smoothed trace and the smoothed log train loss, against the running means' epochs."""

    epoch: Float[np.ndarray, " means"]
    log_train_loss: Float[np.ndarray, "*members means"]
    trace_slope: Float[np.ndarray, "*members means"]
    loss_slope: Float[np.ndarray, "*members means"]


class AdaptationRate(NamedTuple):
    """χ along training, with the mean epoch and the mean log train loss of each running mean."""

    epoch: Float[np.ndarray, " means"]
    log_train_loss: Float[np.ndarray, " means"]
    rate: Float[np.ndarray, " means"]

    def at(self, epoch: float | int) -> float:
        """χ at ``epoch``, interpolated linearly between the defined values and constant beyond them.

        NaN if it is defined nowhere.
        """
        defined = np.isfinite(self.rate)
        if not defined.any():
            return float("nan")
        return float(np.interp(epoch, self.epoch[defined], self.rate[defined]))


def adaptation_rate(
    epoch: Integer[np.ndarray, " epochs"],
    trace: Float[np.ndarray, " epochs"],
    log_train_loss: Float[np.ndarray, " epochs"],
    smoothing_epochs: int,
) -> AdaptationRate:
    """The `AdaptationRate` of curves on a common, evenly spaced grid of epochs.

    χ is the ratio of the two slopes of `slopes`, and raises as that does. The trace grows while the loss
    falls, so χ is negative. It is NaN where the smoothed loss does not change.
    """
    own = slopes(epoch, trace, log_train_loss, smoothing_epochs)
    return AdaptationRate(own.epoch, own.log_train_loss, _ratio(own.trace_slope, own.loss_slope))


def slopes(
    epoch: Integer[np.ndarray, " epochs"],
    trace: Float[np.ndarray, "*members epochs"],
    log_train_loss: Float[np.ndarray, "*members epochs"],
    smoothing_epochs: int,
) -> Slopes:
    """The `Slopes` of curves on a common, evenly spaced grid of epochs, for one or several members.

    The trace and the log train loss are each smoothed by a running mean over ``smoothing_epochs`` and
    differentiated by central differences. Raises ValueError if the curves are too short for three running
    means, ``smoothing_epochs`` is not a multiple of the grid's step, or the grid is uneven.
    """
    if len(epoch) < 3:
        raise ValueError(f"{len(epoch)} epochs are too few for a running mean")
    step = epoch[1] - epoch[0]
    if np.any(np.diff(epoch) != step):
        raise ValueError(f"the adaptation rate needs evenly spaced epochs, not {epoch.tolist()}")
    if smoothing_epochs % step:
        raise ValueError(f"a running mean over {smoothing_epochs} epochs does not fit a grid of step {step}")
    length = int(smoothing_epochs // step)
    if len(epoch) < length + 2:
        raise ValueError(f"{len(epoch)} epochs are too few for a running mean over {length} of them")
    smooth_loss = running_mean(log_train_loss, length)
    # A loss of zero has the logarithm −∞, and no slope.
    with np.errstate(invalid="ignore"):
        return Slopes(
            running_mean(epoch, length),
            smooth_loss,
            np.gradient(running_mean(trace, length), axis=-1),
            np.gradient(smooth_loss, axis=-1),
        )


def resampled_rates(
    members: Slopes, weights: Float[np.ndarray, "resamples members"]
) -> Float[np.ndarray, "resamples means"]:
    """χ along training of each resample: of the members' means with these ``weights``."""
    with np.errstate(invalid="ignore"):
        return _ratio(weights @ members.trace_slope, weights @ members.loss_slope)


def rates_at(
    epoch: Float[np.ndarray, " means"],
    rates: Float[np.ndarray, "resamples means"],
    at: Real[np.ndarray, " resamples"],
) -> Float[np.ndarray, " resamples"]:
    """Each row of ``rates`` at an epoch of its own, as `AdaptationRate.at`; NaN beside undefined rates."""
    place = np.clip((at - epoch[0]) / (epoch[1] - epoch[0]), 0, len(epoch) - 1)
    before = np.minimum(place.astype(int), len(epoch) - 2)
    share, rows = place - before, np.arange(len(rates))
    return (1 - share) * rates[rows, before] + share * rates[rows, before + 1]


def running_mean(
    values: Real[np.ndarray, "*members epochs"], length: int
) -> Float[np.ndarray, "*members means"]:
    """The means of every ``length`` neighbours along the last axis: ``epochs − length + 1`` of them."""
    means = values.shape[-1] - length + 1
    total = np.zeros((*values.shape[:-1], means))
    for first in range(length):
        total += values[..., first : first + means]
    return total / length


def _ratio(
    trace_slope: Float[np.ndarray, "*shape"], loss_slope: Float[np.ndarray, "*shape"]
) -> Float[np.ndarray, "*shape"]:
    undefined = np.full(loss_slope.shape, np.nan)
    with np.errstate(invalid="ignore"):
        return np.divide(trace_slope, loss_slope, out=undefined, where=loss_slope != 0)
