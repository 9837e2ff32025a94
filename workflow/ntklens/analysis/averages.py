"""Averages over the members of one point of a curve.

Curves are averaged at equal epoch and end where the shortest usable seed ends. The logarithm of the train
loss is averaged as well. Quantities at the minimum are taken at each seed's own minimum of the test loss and
then averaged (§4.1, §5). The NTK's spectra are averaged over all pairs of a seed and a draw of samples (App.
D.2). Errors are standard errors of the mean; those over pairs count what all pairs of a seed, or of a draw,
have in common (`two_way_error`). Where training follows the minimum, each seed's own curves of the trace, the
losses and the spectra are kept, from which intervals are made.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from jaxtyping import Float, Integer, Real

from ntklens.spectrum.effective_rank import effective_rank
from ntklens.storage.averages import Average, Mean
from ntklens.storage.quantities import DISTANCES, LOSS_POSITION, OF_ENDS, TEST_CURVES, TRAIN_CURVES
from ntklens.storage.run_files import DIVERGED, OK, Minimum, Trajectory


class AverageError(Exception):
    """Too few seeds at a point are usable. The message names those that were left out and says why."""


def average(scale: int, trajectories: Sequence[Trajectory], min_members: int) -> Average:
    """The `Average` of the trajectories with status "ok" whose NTK is never zero.

    Raises AverageError if they are fewer than ``min_members``.
    """
    problems = {t.seed: why_left_out(t) for t in trajectories}
    used = [t for t in trajectories if not problems[t.seed]]
    left_out = tuple(f"seed {seed}: {problem}" for seed, problem in problems.items() if problem)
    if len(used) < min_members:
        reasons = "; ".join(("ensemble.min_members", *left_out))
        raise AverageError(
            f"scale {scale}: {len(used)} of {len(trajectories)} seeds are usable, {min_members} are needed "
            f"({reasons}). {_least_losses(trajectories)}For a diverged seed, lower the learning rate; for "
            "one whose minimum is at the last epoch, raise it or training.max_epochs"
        )
    of_spectra = _of_spectra(used)
    spectra = {**of_spectra, "eigenvalues": [t.spectrum.eigenvalues for t in used]}
    means = {name: _mean_over_draws(own, used) for name, own in spectra.items()}
    along = {**_curves(used), **_traces(used), **means}
    test_loss = along["test_loss"]
    return Average(
        scale=scale,
        seeds=np.array([t.seed for t in used]),
        left_out=left_out,
        minimum_epoch=int(test_loss.epoch[np.argmin(test_loss.mean)]),
        along=along,
        minimum=_minima(used) if used[0].minimum is not None else {},
        members=_members(used, of_spectra) if used[0].minimum is not None else {},
        initial=_initial(used) if used[0].minimum is not None else {},
        layers=used[0].layers,
    )


def why_left_out(trajectory: Trajectory) -> str:
    """Why a seed is not averaged, or nothing.

    A network without biases whose units are all off has no NTK, and so neither a trace ratio nor a rank.
    """
    if trajectory.status != OK:
        return trajectory.status
    traces = [trajectory.ntk_trace[:1], trajectory.spectrum.ntk_trace.ravel()]
    if trajectory.minimum is not None:
        traces.append(np.array([trajectory.minimum.ntk_trace]))
    return "its NTK is zero" if np.any(np.concatenate(traces) == 0) else ""


def _least_losses(trajectories: Sequence[Trajectory]) -> str:
    """The epoch of each seed's least test loss: whether one rate suits all seeds, or none."""
    epochs = [
        f"seed {t.seed} at epoch {t.test_epoch[np.argmin(t.curves['test_loss'])]}"
        for t in trajectories
        if t.status != DIVERGED
    ]
    return f"Least test losses: {', '.join(epochs)}. " if epochs else ""


def _curves(trajectories: Sequence[Trajectory]) -> dict[str, Mean]:
    """The mean losses and accuracies, and the mean logarithm of the train loss."""
    train_epoch = min((t.epoch for t in trajectories), key=len)
    test_epoch = min((t.test_epoch for t in trajectories), key=len)

    def of_members(name: str, epoch: Integer[np.ndarray, " epochs"]) -> Float[np.ndarray, "members epochs"]:
        return np.array([t.curves[name][: len(epoch)] for t in trajectories], dtype=np.float64)

    # A cross-entropy may round to zero. Its logarithm is −∞, and the mean has no standard error.
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            **{name: mean_of(train_epoch, of_members(name, train_epoch)) for name in TRAIN_CURVES},
            **{name: mean_of(test_epoch, of_members(name, test_epoch)) for name in TEST_CURVES},
            "log_train_loss": mean_of(train_epoch, np.log(of_members("train_loss", train_epoch))),
        }


def _traces(trajectories: Sequence[Trajectory]) -> dict[str, Mean]:
    """The mean trace along training, and the layers' shares. Without these, it comes from the spectra."""
    epoch = min((t.trace_epoch for t in trajectories), key=len)
    if len(epoch):
        shares = np.array([t.layer_traces[: len(epoch)] for t in trajectories])
        trace = np.array([t.ntk_trace[: len(epoch)] for t in trajectories])
        return {"ntk_trace": mean_of(epoch, trace), "layer_traces": mean_of(epoch, shares)}
    return {"ntk_trace": _mean_over_draws([t.spectrum.ntk_trace for t in trajectories], trajectories)}


def _of_spectra(trajectories: Sequence[Trajectory]) -> dict[str, list[Real[np.ndarray, "_ _"]]]:
    """Effective ranks, factors of the loss's gradient and, if measured, alignments: an array (epochs, draws)
    for each seed."""
    spectra = [t.spectrum for t in trajectories]
    alignments = {name: [own.alignments[name] for own in spectra] for name in spectra[0].alignments}
    position = {name: [getattr(own, name) for own in spectra] for name in LOSS_POSITION}
    ranks = [np.asarray(effective_rank(own.eigenvalues)) for own in spectra]
    return {"effective_rank": ranks, **position, **alignments}


def _mean_over_draws(
    values: Sequence[Real[np.ndarray, "_ _ *rest"]], trajectories: Sequence[Trajectory]
) -> Mean:
    """The `Mean` over members and draws of ``values``, an array (epochs, draws, …) for each trajectory.

    Of eigenvalues, those of the same rank are averaged: their sum stays N.
    """
    epoch = min((t.spectrum.epoch for t in trajectories), key=len)
    pairs = np.array([np.swapaxes(own[: len(epoch)], 0, 1) for own in values], dtype=np.float64)
    return Mean(epoch, pairs.mean(axis=(0, 1)), np.asarray(two_way_error(pairs)))


def mean_of(
    epoch: Integer[np.ndarray, " epochs"], values: Real[np.ndarray, " members epochs *layers"]
) -> Mean:
    """The `Mean` of ``values`` over the members."""
    values = np.asarray(values, dtype=np.float64)
    return Mean(epoch, values.mean(axis=0), np.asarray(standard_error(values)))


def standard_error(
    values: Real[np.ndarray, " members *rest"] | Sequence[Any],
) -> Float[np.ndarray | np.float64, "*rest"]:
    """The standard error of the mean along the first axis; zero for a single member."""
    values = np.asarray(values, dtype=np.float64)
    if len(values) == 1:
        return np.zeros(values.shape[1:])
    return values.std(axis=0, ddof=1) / np.sqrt(len(values))


def two_way_error(
    values: Real[np.ndarray, "members draws *rest"],
) -> Float[np.ndarray | np.float64, "*rest"]:
    """The standard error of the mean over all pairs of a member and a draw, both of them random.

    A value is μ + a_member + b_draw + e_pair. The mean's variance is σ_a²/S + σ_b²/D + σ_e²/(S D) for S
    members and D draws: a draw's deviation is in all S of its pairs, so pairs are not independent. Each σ² is
    estimated from the mean squares of the two-way analysis of variance (Searle, Casella & McCulloch 1992,
    §4.5),

        σ_e² = MS_e,    σ_a² = (MS_a − MS_e) / D,    σ_b² = (MS_b − MS_e) / S,

    with negative ones set to zero. With a single member or a single draw, the spread over the other is all
    that can be known: the result is then `standard_error` over the other, and zero for a single pair.
    """
    values = np.asarray(values, dtype=np.float64)
    members, draws = values.shape[:2]
    if 1 in (members, draws):
        return standard_error(values.reshape(members * draws, *values.shape[2:]))
    by_member, by_draw = values.mean(axis=1, keepdims=True), values.mean(axis=0, keepdims=True)
    rest = values - by_member - by_draw + values.mean(axis=(0, 1))
    of_members = draws * by_member[:, 0].var(axis=0, ddof=1)
    of_draws = members * by_draw[0].var(axis=0, ddof=1)
    of_pairs = (rest**2).sum(axis=(0, 1)) / ((members - 1) * (draws - 1))
    excess = np.maximum(of_members - of_pairs, 0) + np.maximum(of_draws - of_pairs, 0)
    return np.sqrt((excess + of_pairs) / (members * draws))


def _members(
    trajectories: Sequence[Trajectory], of_spectra: Mapping[str, Sequence[Real[np.ndarray, "_ _"]]]
) -> dict[str, Float[np.ndarray, "members _"]]:
    """Each seed's own curves, as far as the shortest seed has them; of its spectra the mean over draws."""
    shortest = min(len(t.epoch) for t in trajectories)
    tested = min(len(t.test_epoch) for t in trajectories)
    traced = min(len(t.trace_epoch) for t in trajectories)
    with np.errstate(divide="ignore"):  # a cross-entropy may round to zero
        losses = np.log(np.array([t.curves["train_loss"][:shortest] for t in trajectories], np.float64))
    snapshots = min(len(t.spectrum.epoch) for t in trajectories)
    means_over_draws = {
        name: np.array([values[:snapshots].mean(axis=1) for values in own], np.float32)
        for name, own in of_spectra.items()
    }
    return {
        **means_over_draws,
        "log_train_loss": losses.astype(np.float32),
        "test_loss": np.array([t.curves["test_loss"][:tested] for t in trajectories], np.float32),
        "ntk_trace": np.array([t.ntk_trace[:traced] for t in trajectories], np.float32),
    }


def _minima(trajectories: Sequence[Trajectory]) -> dict[str, Real[np.ndarray, "members ..."]]:
    """The quantities at each seed's own minimum of the test loss."""
    minima = [cast(Minimum, t.minimum) for t in trajectories]  # followed for all seeds, or for none
    initial = np.array([t.ntk_trace[0] for t in trajectories], dtype=np.float64)
    lowest = np.array([minimum.ntk_trace for minimum in minima])
    return {
        "epoch": np.array([minimum.epoch for minimum in minima]),
        "test_loss": np.array([minimum.test_loss for minimum in minima]),
        "effective_rank": np.asarray(effective_rank([minimum.eigenvalues for minimum in minima])),
        "initial_trace": initial,
        "trace_ratio": (lowest - initial) / initial,
        **_fields(minima, LOSS_POSITION),
        **_fields([t.ends for t in trajectories], DISTANCES),
        **_fields([t.ends and t.ends.minimum for t in trajectories], OF_ENDS),
    }


def _initial(trajectories: Sequence[Trajectory]) -> dict[str, Real[np.ndarray, "members ..."]]:
    """The quantities at each seed's initialisation, on the first draw."""
    spectra = [t.spectrum for t in trajectories]  # epoch 0 is always the first
    return {
        "effective_rank": np.asarray(effective_rank([own.eigenvalues[0, 0] for own in spectra])),
        **{name: np.array([getattr(own, name)[0, 0] for own in spectra]) for name in LOSS_POSITION},
        **_fields([t.ends and t.ends.initial for t in trajectories], OF_ENDS),
    }


def _fields(parts: Sequence[Any], names: Iterable[str]) -> dict[str, Real[np.ndarray, "members ..."]]:
    """The fields ``names`` of each member's part; nothing where members have no such part."""
    if any(part is None for part in parts):
        return {}
    return {name: np.array([getattr(part, name) for part in parts]) for name in names}
