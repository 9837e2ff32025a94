"""Ticks in plain numbers whose labels don't overlap, whether an axis covers one octave or ten decades.

How many labels fit depends on the length of the axis, which the figure's layout decides. So the ticks of a
logarithmic axis are chosen when it is drawn.
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axis import Axis, XAxis
from matplotlib.ticker import FixedLocator, Formatter, LogLocator, MaxNLocator, NullFormatter

FONT_SIZE = 7  # points, of tick labels
# In units of the font's size.
DIGIT = 0.64  # the width of a digit
LINE = 1.1  # the height of a line
GAP = 0.6  # the least distance between two labels

LEAST = 3  # labels, from which a reader can tell what an axis covers
# The ticks in each decade, in the order in which they are tried.
SUBDIVISIONS = ((1,), (1, 2, 5), (1, 3), (1, 2, 3, 5, 7))


class PlainLogLocator(LogLocator):
    """Ticks of a logarithmic axis: as few for each decade as give `LEAST` of them, if their labels fit.

    Where not even the decades fit, every nth is taken; within a decade, ticks may be evenly spaced.

    ``wanted`` are the places of measured points, ascending. They are taken if they fit, or else every second
    of them.
    """

    def __init__(self, axis: Axis, wanted: Sequence[float | int] = ()) -> None:
        super().__init__()
        self.of_axis = axis
        self.wanted = wanted

    def tick_values(self, vmin: float, vmax: float) -> list[float | int]:
        low, high = sorted((vmin, vmax))
        for own in (self.wanted, self.wanted[::-1][::2][::-1]):
            if own and self._fit(own, low, high):
                return list(own)
        chosen: list[float | int] = []
        for ticks in _choices(low, high):
            if len(chosen) >= LEAST:
                break
            if len(ticks) > len(chosen) and self._fit(ticks, low, high):
                chosen = ticks
        return chosen

    def _fit(self, ticks: Sequence[float | int], low: float, high: float) -> bool:
        """Whether the labels of ``ticks`` on an axis from ``low`` to ``high`` have a gap between them."""
        horizontal = isinstance(self.of_axis, XAxis)
        axes = self.of_axis.axes
        box = axes.get_window_extent()
        length = (box.width if horizontal else box.height) / axes.figure.dpi * 72 / FONT_SIZE
        shown = [tick for tick in ticks if low <= tick <= high]
        places = np.log(shown) / np.log(high / low) * length
        sizes = [DIGIT * len(_visible(text)) if horizontal else LINE for text in labels(shown)]
        needed = (np.array(sizes[1:]) + sizes[:-1]) / 2 + GAP
        return bool(np.all(np.diff(places) >= needed))


def _choices(low: float, high: float) -> Iterable[list[float | int]]:
    """Ticks between ``low`` and ``high`` > 0, of each decade first."""
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for factors in SUBDIVISIONS:
        yield _between(low, high, [factor * 10.0**power for power in decades for factor in factors])
    if high < 10 * low:
        for intervals in range(1, 7):
            yield _between(low, high, MaxNLocator(intervals, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))
    for step in range(2, len(decades)):
        yield _between(low, high, [10.0**power for power in decades if power % step == 0])


def _between(low: float, high: float, ticks: Iterable[float | int]) -> list[float | int]:
    return [float(tick) for tick in ticks if low <= tick <= high]


class PlainNumbers(Formatter):
    """Labels as in `labels`: what one looks like depends on the others."""

    def __call__(self, x: float | int, pos: int | None = None) -> str:
        return self.format_ticks([x])[0]

    def format_ticks(self, values: Iterable[float | int]) -> list[str]:
        return labels(values)


def labels(values: Iterable[float | int]) -> list[str]:
    """``values`` > 0 as plain numbers, or all as powers of ten if one has too many digits."""
    every = list(values)
    plain = all(0.999e-3 < value < 1.001e4 for value in every)
    return [f"{value:.6g}" if plain else _with_power(value) for value in every]


def _with_power(value: float | int) -> str:
    exponent = int(np.floor(np.log10(value) + 1e-9))
    factor = value / 10.0**exponent
    power = rf"10^{{{exponent}}}"
    return f"${power}$" if abs(factor - 1) < 1e-6 else rf"${factor:.6g}\times{power}$"


def _visible(label: str) -> str:
    """The characters of ``label`` that one sees."""
    return re.sub(r"[${}^]", "", label.replace(r"\times", "×"))


def plain_ticks(axis: Axis) -> None:
    """Label a logarithmic axis in plain numbers; a linear one stays as it is."""
    if axis.get_scale() == "log":
        axis.set_major_locator(PlainLogLocator(axis))
        axis.set_major_formatter(PlainNumbers())
        axis.set_minor_formatter(NullFormatter())


def scale_ticks(axis: Axis, measured: Iterable[Sequence[float | int | None]]) -> None:
    """Label a logarithmic axis of scales at the measured ones, if all curves share their grid.

    ``measured`` are the scales of each curve. Where curves have grids of their own, ticks are round numbers.
    """
    if axis.get_scale() != "log":
        return
    plain_ticks(axis)
    grids = [{scale for scale in own if scale is not None} for own in measured]
    every = sorted(set().union(*grids))
    if set(every) in grids and all(scale == int(scale) for scale in every):
        axis.set_major_locator(PlainLogLocator(axis, every))
        axis.set_minor_locator(FixedLocator(every))


def spread_ticks(values: Sequence[int]) -> list[int]:
    """Select ticks from the ascending ``values`` so that their labels don't overlap; the largest is kept.

    The axis is logarithmic, or linear where the smallest value is 0.
    """
    places = np.log(values) if values[0] > 0 else np.array(values, dtype=float)
    closest = (places[-1] - places[0]) / 10
    kept = [len(values) - 1]
    for i in reversed(range(len(values) - 1)):
        if places[kept[-1]] - places[i] > closest:
            kept.append(i)
    return [values[i] for i in reversed(kept)]
