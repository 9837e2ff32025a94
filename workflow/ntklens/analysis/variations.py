"""Variations of what the paper does not state that need no training: other readings of the same runs.

A variation changes the averages or the settings of a curve, and nothing else: all numbers then come out as
they do without it. It names the quantities that it changes; the others would be the same to the last digit.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ntklens.analysis.averages import why_left_out
from ntklens.analysis.measures.results import CannotMeasureError, CurveResults, need
from ntklens.spectrum.effective_rank import effective_rank
from ntklens.storage.averages import Average
from ntklens.storage.run_files import Trajectory

CLIPS = (1e-10, 1e-6)  # beside 1e-14, the paper's
SMOOTHING = {"half": 0.5, "twice": 2.0}


class Spectra(NamedTuple):
    """Eigenvalues at every seed's own minimum, the seeds in the order of their `Average`."""

    normalised: Float[np.ndarray, "members N"]  # of Θ̂
    raw: Float[np.ndarray, "members N"]  # of Θ


class Read(NamedTuple):
    """The results of one curve and, by scale, the `Spectra` of its run files."""

    results: CurveResults
    spectra: Mapping[int, Spectra]


class Variation(NamedTuple):
    """Another reading: its ``title``, the quantities that it changes, and the results by it."""

    title: str
    changes: frozenset[str]
    of: Callable[[Read], CurveResults]


def spectra_of(trajectories: Sequence[Trajectory]) -> Spectra:
    """The `Spectra` of the seeds that averages use. Raises CannotMeasureError without minima."""
    used = sorted((own for own in trajectories if not why_left_out(own)), key=lambda own: own.seed)
    minima = [own.minimum for own in used if own.minimum is not None]
    need(len(minima) == len(used) > 0, "the run files hold no spectra at the minimum")
    return Spectra(
        normalised=np.array([own.eigenvalues for own in minima]),
        raw=np.array([own.ntk_eigenvalues for own in minima]),
    )


def variations() -> list[Variation]:
    """Every `Variation`."""
    rank, ratio = frozenset({"effective_rank"}), frozenset({"trace_ratio"})
    at_minima = rank | ratio | {"test_loss"}
    return [
        Variation("Γ of the NTK itself, not normalised", rank, _raw_rank),
        *(Variation(f"eigenvalues clipped at {clip:g}", rank, _clipped(clip)) for clip in CLIPS),
        Variation("all seeds at the minimum of the mean test loss", at_minima, _at_minimum_of_mean),
        Variation("β as the mean of the seeds' ratios", ratio, _mean_of_ratios),
        *(
            Variation(f"χ smoothed over {name} the epochs", frozenset({"adaptation_rate"}), _smoothed(factor))
            for name, factor in SMOOTHING.items()
        ),
    ]


def _with_minima(
    results: CurveResults, changed: Callable[[Average], Mapping[str, Float[np.ndarray, " members"]]]
) -> CurveResults:
    """``results`` with other values at the seeds' minima."""
    averages = [replace(own, minimum={**own.minimum, **changed(own)}) for own in results.followed]
    return replace(results, averages=averages)


def _spectra_at(read: Read, average: Average) -> Spectra:
    found = read.spectra.get(average.scale)
    if found is None or len(found.raw) != len(average.seeds):
        raise CannotMeasureError(f"the run files of scale {average.scale} are not those of the averages")
    return found


def _raw_rank(read: Read) -> CurveResults:
    return _with_minima(
        read.results, lambda own: {"effective_rank": np.asarray(effective_rank(_spectra_at(read, own).raw))}
    )


def _clipped(clip: float) -> Callable[[Read], CurveResults]:
    def of(read: Read) -> CurveResults:
        def changed(average: Average) -> dict[str, Float[np.ndarray, " members"]]:
            eigenvalues = np.maximum(_spectra_at(read, average).normalised, clip)
            return {"effective_rank": np.asarray(effective_rank(eigenvalues))}

        return _with_minima(read.results, changed)

    return of


def _mean_of_ratios(read: Read) -> CurveResults:
    """With the same Tr Θ₀ for all seeds, the ratio of means is the mean of ratios."""
    return _with_minima(read.results, lambda own: {"initial_trace": np.ones(len(own.seeds))})


def _at_minimum_of_mean(read: Read) -> CurveResults:
    """β, Γ and the test loss at one epoch for all seeds, interpolated linearly between measurements.

    A quantity that was not measured until that epoch is NaN.
    """
    return _with_minima(read.results, _at_common_epoch)


def _at_common_epoch(average: Average) -> dict[str, Float[np.ndarray, " members"]]:
    def at(name: str, epoch: int) -> Float[np.ndarray, " members"]:
        need(name in average.members, f"{name} was not measured along training")
        own = average.along[name].epoch
        members = average.members[name].astype(np.float64)
        if epoch > own[-1]:
            return np.full(len(members), np.nan)
        before = max(int(np.searchsorted(own, epoch)) - 1, 0)
        share = (epoch - own[before]) / (own[before + 1] - own[before])
        return (1 - share) * members[:, before] + share * members[:, before + 1]

    epoch, initial = average.minimum_epoch, at("ntk_trace", 0)
    return {
        "test_loss": at("test_loss", epoch),
        "effective_rank": at("effective_rank", epoch),
        "initial_trace": initial,
        "trace_ratio": at("ntk_trace", epoch) / initial - 1,
    }


def _smoothed(factor: float) -> Callable[[Read], CurveResults]:
    def of(read: Read) -> CurveResults:
        settings = read.results.settings
        epochs = factor * settings.smoothing_epochs
        need(epochs >= 1 and epochs == round(epochs), f"{epochs:g} epochs are no length of a running mean")
        return replace(read.results, settings=replace(settings, smoothing_epochs=round(epochs)))

    return of
