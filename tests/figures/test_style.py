"""Colours, ticks, titles and legends that all figures share."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from ntklens.figures.style import (
    band,
    column_width,
    legend_columns,
    log_scales,
    look_of,
    name_panel,
    scale_colours,
    spread_ticks,
)


def test_a_long_name_breaks_outside_its_brackets() -> None:
    figure, axes = plt.subplots()
    name_panel(axes, "Model scaling, Fashion-MNIST (modified data)", 2.5)
    plt.close(figure)
    assert axes.get_title().split("\n") == ["Model scaling,", "Fashion-MNIST", "(modified data)"]


def test_ten_doublings_are_all_ticked() -> None:
    widths = [8 * 2**i for i in range(10)]
    assert spread_ticks(widths) == widths
    assert spread_ticks([8]) == [8]


def test_crowded_ticks_are_thinned_down_to_the_largest() -> None:
    assert spread_ticks([1, 95, 98, 100]) == [1, 100]


def test_ticks_from_0_on_are_spread_evenly() -> None:
    assert spread_ticks([0, 1, 50, 90]) == [1, 50, 90]
    assert spread_ticks([0]) == [0]


@pytest.mark.parametrize("scales", [(8, 64), (8,), (0, 50, 90), (0,)])
def test_every_scale_has_a_colour_of_its_own(scales: tuple[int, ...]) -> None:
    colour, _ = scale_colours(scales)
    assert len({colour(scale) for scale in scales}) == len(scales)


def test_the_36_first_looks_differ() -> None:
    looks = look_of(map(str, range(36)))
    assert len({tuple(look.values()) for look in looks.values()}) == 36
    assert [look["marker"] for look in looks.values()][:7] == ["o", "s", "^", "D", "v", "P", "s"]


def test_a_band_has_null_where_a_number_is_not_defined() -> None:
    assert band([1.0, np.nan, np.inf], None) == {"y": [1, None, None], "low": None, "high": None}
    assert band([1.0, 2.0], [0.5, np.nan]) == {"y": [1, 2], "low": [0.5, None], "high": [1.5, None]}


def test_columns_fit() -> None:
    assert [column_width(n) for n in (1, 2, 3)] == [3.35, 3.35, 2.5]
    assert legend_columns(["MNIST", "CIFAR-10"], 7.2, most=4) == 2
    assert legend_columns(["x" * 200], 7.2) == 1


def test_scales_within_a_decade_are_labelled_in_plain_numbers() -> None:
    figure, axes = plt.subplots()
    axes.plot([1, 2, 4], [1.0, 2.0, 3.0])
    log_scales(axes)
    figure.canvas.draw()
    shown = [label.get_text() for label in axes.get_xticklabels(which="both") if label.get_text()]
    plt.close(figure)
    assert {"1", "2"} <= set(shown)
    assert not any("10^" in text for text in shown)
