"""What measures have in common: the results of one curve, resamples, and the refusal to measure.

A measure is a function of the `CurveResults` of a curve and the claim's quantity. Its docstring is the text
that the comparison table gives for how the number is computed. Where a claim is about all scales of a curve,
its measure averages over the scales or takes the worst of them, as the docstring says.

*Rows* are a measured value and, below it, its resamples. These draw whole members of the ensemble
(`ntklens.analysis.resampling`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ntklens.analysis.resampling import factor_of_mean, widened
from ntklens.analysis.series import Series, key_series, weights_of
from ntklens.analysis.settings import AnalysisSettings
from ntklens.storage.averages import Average


class CannotMeasureError(Exception):
    """A curve does not have what a measure needs. The message says what is missing."""


class Measured(NamedTuple):
    """A number and its resamples; NaN where a fit fails, ±∞ where it is censored."""

    value: float
    resampled: Float[np.ndarray, " resamples"]

    def less(self, other: "Measured") -> "Measured":
        """The difference of two numbers, whose resamples are taken as independent; none if one has none.

        The networks of a seed start alike on two datasets, so that their interval is wider than it need be.
        """
        known = len(self.resampled) and len(other.resampled)
        with np.errstate(invalid="ignore"):
            difference = self.resampled - other.resampled if known else np.empty(0)
            return Measured(self.value - other.value, difference)


@dataclass(frozen=True)
class CurveResults:
    """The averages of one curve, with what measures share."""

    averages: Sequence[Average]
    settings: AnalysisSettings

    @cached_property
    def series(self) -> dict[str, Series]:
        """The `Series` of each key quantity."""
        return key_series(self.followed, self.settings)

    @cached_property
    def weights(self) -> list[Float[np.ndarray, "resamples _"]]:
        """The weights of each point's members in every resample."""
        return weights_of(self.averages, self.settings)

    @property
    def followed(self) -> Sequence[Average]:
        """The averages. Raises CannotMeasureError unless training followed the minimum of the test loss."""
        need(bool(self.averages[0].minimum), "training did not follow the minimum of the test loss")
        return self.averages


Measure = Callable[[CurveResults, str], Measured]


def need(there: bool, missing: str) -> None:
    """Raise CannotMeasureError, with what is ``missing``, unless it is ``there``."""
    if not there:
        raise CannotMeasureError(missing)


def measured(rows: Float[np.ndarray, " rows"]) -> Measured:
    """The `Measured` of these rows."""
    return Measured(float(rows[0]), rows[1:])


def rows_of_mean(
    values: Float[np.ndarray, " members *rest"],
    weights: Float[np.ndarray, "resamples members"],
) -> Float[np.ndarray, " rows *rest"]:
    """The mean of ``values`` over members, and its resamples, widened by `factor_of_mean`."""
    mean = values.mean(axis=0)
    resampled = np.tensordot(weights, values, axes=1)
    return np.concatenate([mean[None], widened(resampled, np.asarray(mean), factor_of_mean(len(values)))])
