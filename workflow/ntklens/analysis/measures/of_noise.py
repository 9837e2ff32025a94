"""Measures of noise scaling, against epochs.

The averages hold means over seeds and draws of samples, with their standard errors. Resamples are draws of
Student's t with these errors and n − 1 degrees of freedom, n the number of seeds; epochs are picked from the
means. The errors at two epochs are taken as independent, although both have the draws of samples in common:
averages do not tell these apart, and an interval of a difference is rather too wide. A single seed has no
interval: its errors, if any, are those of the draws of samples alone. Beside scales that have intervals, a
scale without one is taken as exact.
"""

from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float

from ntklens.analysis.measures.results import CurveResults, Measured, measured, need
from ntklens.analysis.resampling import generator_of
from ntklens.storage.averages import Mean

RowsAt = Callable[[int], Float[np.ndarray, " rows"]]  # of a mean's epoch, by its place


def least_over_initial_rank(results: CurveResults, _: str) -> Measured:
    """least over initial Γ along training; the share of replaced data with the largest ratio"""
    ratios: list[Float[np.ndarray, " rows"]] = []
    for mean, draw in _draws(results, "effective_rank"):
        ratios.append(draw(int(np.argmin(mean.mean))) / draw(0))
    return measured(np.max(ratios, axis=0))


def rise_lost_to_noise(results: CurveResults, _: str) -> Measured:
    """Γ at the end less its least value along training, with the least data replaced less with the most"""
    need(len(results.averages) > 1, "there is one share of replaced data")
    rises = [
        draw(len(mean.mean) - 1) - draw(int(np.argmin(mean.mean)))
        for mean, draw in _draws(results, "effective_rank")
    ]
    return measured(rises[0] - rises[-1])


def least_train_accuracy(results: CurveResults, _: str) -> Measured:
    """train accuracy at the end; the least over all shares of replaced data"""
    ends = [draw(len(mean.mean) - 1) for mean, draw in _draws(results, "train_accuracy")]
    return measured(np.min(ends, axis=0))


def accuracy_lost_to_noise(results: CurveResults, _: str) -> Measured:
    """test accuracy at the end, with the most data replaced less with the least"""
    need(len(results.averages) > 1, "there is one share of replaced data")
    ends = [draw(len(mean.mean) - 1) for mean, draw in _draws(results, "test_accuracy")]
    return measured(ends[-1] - ends[0])


def _draws(results: CurveResults, quantity: str) -> Iterator[tuple[Mean, RowsAt]]:
    """The mean of ``quantity`` at each scale, with a function that returns its rows at one of its epochs."""
    generator = generator_of(results.settings.curve)
    for average in results.averages:
        need(quantity in average.along, f"{quantity} was not measured along training")
    noisy = [len(own.seeds) > 1 and bool(own.along[quantity].error.any()) for own in results.averages]
    # As many rows for all scales, which are compared row by row.
    resamples = results.settings.resamples if any(noisy) else 0
    for average, with_noise in zip(results.averages, noisy, strict=True):
        mean = average.along[quantity]
        size = resamples, len(mean.epoch)
        noise = generator.standard_t(len(average.seeds) - 1, size) if with_noise else np.zeros(size)
        yield mean, _rows_at(np.vstack([mean.mean, mean.mean + noise * mean.error]))


def _rows_at(rows: Float[np.ndarray, "rows epochs"]) -> RowsAt:
    return lambda place: rows[:, place]
