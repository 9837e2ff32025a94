"""Ticks of logarithmic axes: plain numbers, enough of them, and labels that don't overlap."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from ntklens.figures.style import PAGE, RC
from ntklens.figures.ticks import labels, plain_ticks, scale_ticks, spread_ticks

from tests.support.measured import assert_labels_apart

WIDTHS = [8 * 2**i for i in range(8)]


def drawn_axes(x: Sequence[float], y: Sequence[float], grids: Sequence[Sequence[float]] = ()) -> Axes:
    """Log-log axes as wide as a third of a page, through ``x`` and ``y``, drawn; ``grids`` are its scales."""
    with plt.rc_context(RC):
        figure, axes = plt.subplots(figsize=(PAGE / 3, 2.4))
        axes.loglog(x, y)
        scale_ticks(axes.xaxis, grids)
        plain_ticks(axes.yaxis)
        figure.canvas.draw()
    plt.close(figure)
    return axes


def shown(axes: Axes, name: str) -> list[str]:
    """The labels of the axis ``name`` that lie on it."""
    axis = getattr(axes, f"{name}axis")
    low, high = sorted(axis.get_view_interval())
    assert_labels_apart(axis.get_ticklabels(which="both"))
    inside = [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    return [label.get_text() for label in inside if label.get_text()]


def test_a_narrow_grid_is_labelled_at_its_scales() -> None:
    assert shown(drawn_axes(WIDTHS[:4], [1, 2, 3, 4], [WIDTHS[:4]]), "x") == ["8", "16", "32", "64"]
    assert shown(drawn_axes(WIDTHS[:4], [1, 2, 3, 4], [WIDTHS[:4], WIDTHS[:2]]), "x") == [
        "8",
        "16",
        "32",
        "64",
    ]


def test_of_a_wide_grid_every_second_scale_is_labelled_and_every_one_has_a_tick() -> None:
    axes = drawn_axes(WIDTHS, WIDTHS, [WIDTHS])
    assert shown(axes, "x") == ["16", "64", "256", "1024"]
    assert axes.xaxis.get_minorticklocs().tolist() == [8, 32, 128, 512]


def test_grids_that_differ_and_fractions_have_round_numbers() -> None:
    sizes = [[40, 60, 90, 136, 204, 320], [72, 112, 176, 280, 440, 700, 1120]]
    assert shown(drawn_axes([40, 1120], [1, 2], sizes), "x") == ["50", "100", "200", "500", "1000"]
    assert shown(drawn_axes([0.2, 1.3], [1, 2], [[0.2, 0.7, 1.3]]), "x") == ["0.2", "0.5", "1"]


@pytest.mark.parametrize("low", [3e-6, 0.9, 47.0])
@pytest.mark.parametrize("span", [1.02, 1.5, 2.5, 4.0, 9.0, 30.0, 1e12])
def test_every_axis_has_several_labels(low: float, span: float) -> None:
    axes = drawn_axes([low, low * span], [low, low * span])
    for name in ("x", "y"):
        own = shown(axes, name)
        assert len(own) == len(set(own)) >= (3 if name == "y" else 2)


def test_an_axis_that_is_turned_around_has_the_same_labels() -> None:
    axes = drawn_axes([0.03, 3], [1, 2])
    before = shown(axes, "x")
    axes.invert_xaxis()
    axes.figure.canvas.draw()
    assert sorted(shown(axes, "x")) == sorted(before)


def test_a_linear_axis_stays_as_it_is() -> None:
    figure, axes = plt.subplots()
    axes.plot([0, 50, 90], [1, 2, 3])
    before = axes.xaxis.get_major_locator(), axes.yaxis.get_major_locator()
    scale_ticks(axes.xaxis, [[0, 50, 90]])
    plain_ticks(axes.yaxis)
    plt.close(figure)
    assert (axes.xaxis.get_major_locator(), axes.yaxis.get_major_locator()) == before


def test_labels_of_one_axis_are_written_alike() -> None:
    assert labels([0.001, 0.5, 10000]) == ["0.001", "0.5", "10000"]
    assert labels([5000, 20000]) == [r"$5\times10^{3}$", r"$2\times10^{4}$"]
    assert labels([1e-4, 1e-3, 0.1]) == ["$10^{-4}$", "$10^{-3}$", "$10^{-1}$"]
    assert labels([np.float64(1.25e5)]) == [r"$1.25\times10^{5}$"]


def test_ten_doublings_are_all_ticked() -> None:
    widths = [8 * 2**i for i in range(10)]
    assert spread_ticks(widths) == widths
    assert spread_ticks([8]) == [8]


def test_crowded_ticks_are_thinned_down_to_the_largest() -> None:
    assert spread_ticks([1, 95, 98, 100]) == [1, 100]


def test_ticks_from_0_on_are_spread_evenly() -> None:
    assert spread_ticks([0, 1, 50, 90]) == [1, 50, 90]
    assert spread_ticks([0]) == [0]
