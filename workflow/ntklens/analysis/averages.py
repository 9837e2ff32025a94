"""Averages over the members of one point of a curve.

Curves are averaged at equal epoch and end where the shortest usable seed ends; the train loss is averaged as
a logarithm too. Quantities at the minimum are taken at each seed's own minimum of the test loss first and
averaged then (§4.1, §5). The NTK's spectra are averaged over all pairs of a seed and a draw of samples (App.
D.2). Errors are standard errors of the mean.
"""

import numpy as np

from ntklens.spectrum.effective_rank import effective_rank
from ntklens.storage.averages import Average, Mean
from ntklens.storage.quantities import CURVES
from ntklens.storage.run_files import OK


class AverageError(Exception):
    """Too few usable seeds at a point; says which were left out and why."""


def average(scale, trajectories, min_members):
    """The `Average` of the trajectories that ended well.

    Raises AverageError where fewer than ``min_members`` did.
    """
    used = [t for t in trajectories if t.status == OK]
    left_out = tuple(f"seed {t.seed}: {t.status}" for t in trajectories if t.status != OK)
    if len(used) < min_members:
        reasons = "; ".join(("ensemble.min_members", *left_out))
        raise AverageError(
            f"scale {scale}: {len(used)} of {len(trajectories)} seeds are usable, {min_members} are needed "
            f"({reasons}). A diverged seed wants a smaller learning rate; one whose minimum is at the last "
            "epoch a larger training.max_epochs"
        )
    along = {**_curves(used), **_traces(used), **_spectra(used)}
    test_loss = along["test_loss"]
    return Average(
        scale=scale,
        seeds=np.array([t.seed for t in used]),
        left_out=left_out,
        minimum_epoch=int(test_loss.epoch[np.argmin(test_loss.mean)]),
        along=along,
        minimum=_minima(used) if used[0].minimum is not None else {},
    )


def _curves(trajectories):
    epoch = min((t.epoch for t in trajectories), key=len)
    curves = {
        name: np.array([t.curves[name][: len(epoch)] for t in trajectories], dtype=np.float64)
        for name in CURVES
    }
    # A cross-entropy may round to zero: its logarithm is −∞, with no error.
    with np.errstate(divide="ignore", invalid="ignore"):
        curves["log_train_loss"] = np.log(curves["train_loss"])
        return {name: mean_of(epoch, values) for name, values in curves.items()}


def _traces(trajectories):
    """The trace along training, from the spectra where it was not measured apart from them."""
    epoch = min((t.trace_epoch for t in trajectories), key=len)
    if len(epoch):
        return {"ntk_trace": mean_of(epoch, [t.ntk_trace[: len(epoch)] for t in trajectories])}
    return {"ntk_trace": _mean_over_draws([t.spectrum.ntk_trace for t in trajectories], trajectories)}


def _spectra(trajectories):
    ranks = [effective_rank(t.spectrum.eigenvalues) for t in trajectories]
    alignments = {
        name: _mean_over_draws([t.spectrum.alignments[name] for t in trajectories], trajectories)
        for name in trajectories[0].spectrum.alignments
    }
    return {"effective_rank": _mean_over_draws(ranks, trajectories), **alignments}


def _mean_over_draws(values, trajectories):
    """The `Mean` over members and draws of ``values``, an array (S, draws) for each trajectory."""
    epoch = min((t.spectrum.epoch for t in trajectories), key=len)
    return mean_of(epoch, np.concatenate([own[: len(epoch)].T for own in values]))


def mean_of(epoch, values):
    """The `Mean` of ``values`` (members, E)."""
    values = np.asarray(values, dtype=np.float64)
    return Mean(epoch, values.mean(axis=0), standard_error(values))


def standard_error(values):
    """The standard error of the mean along the first axis; zero for a single member."""
    values = np.asarray(values, dtype=np.float64)
    if len(values) == 1:
        return np.zeros(values.shape[1:])
    return values.std(axis=0, ddof=1) / np.sqrt(len(values))


def _minima(trajectories):
    minima = [t.minimum for t in trajectories]
    initial = np.array([t.ntk_trace[0] for t in trajectories], dtype=np.float64)
    lowest = np.array([minimum.ntk_trace for minimum in minima])
    return {
        "epoch": np.array([minimum.epoch for minimum in minima]),
        "test_loss": np.array([minimum.test_loss for minimum in minima]),
        "effective_rank": effective_rank([minimum.eigenvalues for minimum in minima]),
        "initial_trace": initial,
        "trace_ratio": (lowest - initial) / initial,
    }
