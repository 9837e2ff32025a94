"""The content of power-laws.json and transition.json: what is found of a quantity along one curve.

Numbers are None, null in JSON, where they are not defined. A slope always comes with its *window*, the first
and the last scale that it was fitted to: the slope of a crossover depends on it.
"""

from typing import Literal, TypedDict

from ntklens.analysis.intervals import Interval
from ntklens.analysis.laws import FormName

Window = list[int]  # the first and the last scale of a fit
Numbers = list[float | None]
Side = Literal["narrow", "wide"]


class PowerLawRecord(TypedDict):
    """A fitted power law."""

    amplitude: float
    exponent: Interval
    window: Window


class BentLawRecord(TypedDict):
    """A fitted `ntklens.analysis.laws.BentLaw`; ``power`` is None in forms in which it is 1.

    ``squares`` is the sum of weighted squared residuals, to be compared with ``freedom``.
    """

    form: FormName
    level: Interval
    bend: Interval
    power: Interval | None
    squares: float
    freedom: int
    window: Window


class Choice(TypedDict):
    """A power law tested against bent laws (`ntklens.analysis.model_choice`).

    ``likelihood_ratio`` is the weighted squares of the power law less those of the bent law.
    """

    likelihood_ratio: float
    p_value: float
    power_law_rejected: bool


class Measured(TypedDict):
    """One quantity along a curve; ``low`` and ``high`` are the ends of each value's interval.

    An ``error`` and an interval are also None where there is a single member.
    """

    scale: list[int]
    mean: Numbers
    error: Numbers
    low: Numbers
    high: Numbers


class Laws(Measured):
    """A measured quantity and its laws.

    ``last_octaves`` is the power law of the last two octaves of scales. ``no_law_because`` says why one of
    the laws is None, or is empty.
    """

    power_law: PowerLawRecord | None
    last_octaves: PowerLawRecord | None
    bent_law: BentLawRecord | None
    choice: Choice | None
    no_law_because: str


class EyeReading(TypedDict):
    """A line's slope, and where it meets the plateau (`ntklens.analysis.by_eye`)."""

    exponent: Interval
    transition: Interval
    line_on: Side


class Expectation(TypedDict):
    """E[Tr Θ₀] at every scale in closed form, and the width m* where it bends."""

    bend: float
    initial_trace: list[float]


class Prediction(TypedDict):
    """β(m) = ``gain`` / E[Tr Θ₀(m)], which bends at m*; nothing but the gain is fitted.

    ``gain`` is the trace gained in training, pooled over the scales, and ``gain_exponent`` its slope along
    them: 0 if the gain does not depend on the scale. ``squares`` are the weighted squared differences between
    log β and its prediction, at ``points`` scales.
    """

    gain: Interval
    gain_exponent: Interval | None
    trace_ratio: list[float]
    squares: float | None
    points: int
