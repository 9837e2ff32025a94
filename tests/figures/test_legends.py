"""Legends move to where nothing crosses them."""

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from ntklens.figures.legends import clear_legends, covered, panel_of
from ntklens.figures.style import RC

RISING = np.array([1.0, 10.0])


def placed(draw: Callable[[Axes], None], yscale: str = "linear") -> tuple[Figure, Axes]:
    """Axes with what ``draw`` draws and a legend, placed."""
    with plt.rc_context(RC):
        figure, axes = plt.subplots(figsize=(2.2, 2.0))
        draw(axes)
        axes.set_yscale(yscale)
        axes.legend(loc="lower right")
        clear_legends(figure)
        figure.canvas.draw()
    plt.close(figure)
    return figure, axes


def corner(axes: Axes) -> tuple[bool, bool]:
    """Whether the legend is in the right half and in the upper half."""
    legend = axes.get_legend()
    assert legend
    box, own = legend.get_window_extent(), axes.get_window_extent()
    return box.x0 + box.x1 > own.x0 + own.x1, box.y0 + box.y1 > own.y0 + own.y1


@pytest.mark.parametrize(
    ("y", "expected"), [(RISING, (False, True)), (RISING[::-1], (True, True))], ids=["rising", "falling"]
)
def test_a_legend_goes_to_a_free_corner_and_leaves_the_axis(
    y: np.ndarray, expected: tuple[bool, bool]
) -> None:
    _, axes = placed(lambda own: own.plot([1, 2], y, label="a"))
    assert corner(axes) == expected
    assert axes.get_ylim() == pytest.approx((0.55, 10.45))


def cross(axes: Axes) -> None:
    """Lines through all corners, without a vertex in any."""
    axes.plot([0, 1], [1, 10], label="rising")
    axes.plot([0, 1], [10, 1], label="falling")


def bands(axes: Axes) -> None:
    """A band over everything below a line in the middle."""
    (line,) = axes.plot([0, 1], [5, 5], label="with a band")
    axes.fill_between([0, 1], [1, 1], [10, 10], color=line.get_color(), alpha=0.2)


@pytest.mark.parametrize("draw", [cross, bands])
@pytest.mark.parametrize("yscale", ["linear", "log"])
def test_where_no_corner_is_free_the_axis_grows(draw: Callable[[Axes], None], yscale: str) -> None:
    _, axes = placed(draw, yscale)
    legend = axes.get_legend()
    assert legend
    assert corner(axes) == (True, True)
    assert not covered(legend, [axes])
    assert axes.get_ylim()[1] > 12


def test_both_axes_of_a_panel_make_room() -> None:
    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [1, 1.1], label="left")
        cross(axes.twinx())

    figure, left = placed(draw)
    right = figure.axes[1]
    legend = left.get_legend()
    assert legend
    assert panel_of(left) == [left, right]
    assert not covered(legend, [left, right])
