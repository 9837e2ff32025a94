"""Colours, titles and legends that all figures share."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from ntklens.figures.style import (
    PAGE,
    band,
    column_width,
    label_panel,
    legend_columns,
    look_of,
    name_panel,
    scale_colours,
)


def test_a_long_name_breaks_outside_its_brackets() -> None:
    figure, axes = plt.subplots()
    name_panel(axes, "Model scaling, Fashion-MNIST (modified data)", PAGE / 3)
    plt.close(figure)
    assert axes.get_title().split("\n") == ["Model scaling,", "Fashion-MNIST", "(modified data)"]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("Network susceptibility", ["Network susceptibility"]),
        # The lines are of about the same length, and a short bracket stays with its word.
        (
            "Linearised test loss, MNIST (5k), three-layer",
            ["Linearised test loss,", "MNIST (5k), three-layer"],
        ),
        (
            "Pneumonoultramicroscopicsilicovolcanoconiosis",
            ["Pneumonoultramicroscopic", "silicovolcanoconiosis"],
        ),
    ],
)
def test_a_name_breaks_into_few_and_even_lines(name: str, lines: list[str]) -> None:
    figure, axes = plt.subplots()
    name_panel(axes, name, PAGE / 3)
    plt.close(figure)
    assert axes.get_title().split("\n") == lines


def test_a_panels_letter_is_left_of_its_axes() -> None:
    figure, axes = plt.subplots()
    label_panel(axes, "a")
    name_panel(axes, "a name", PAGE / 3)
    figure.canvas.draw()
    plt.close(figure)
    letter = next(text for text in axes.get_children() if getattr(text, "get_text", str)() == "(a)")
    assert letter.get_window_extent().x1 <= axes.get_window_extent().x0


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
    assert [n * column_width(n) for n in (1, 2, 3)] == [PAGE / 2, PAGE, PAGE]
    assert legend_columns(["MNIST", "CIFAR-10"], 7.2, most=4) == 2
    assert legend_columns(["x" * 200], 7.2) == 1
