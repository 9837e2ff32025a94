"""Figures 4 and 7 and those of own studies: quantities against epochs."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot as plt
from ntklens.figures import epochs
from ntklens.figures.content import FigureContent
from ntklens.figures.epochs import EpochPanel, EpochSeries, colours_in_order

from tests.support.measured import EPOCHS, SPECTRUM_EPOCHS, average, curve, drawn, panels

SHOWS = ("effective_rank", "train_accuracy", "test_accuracy")


def content(quantities: Sequence[str], networks: Sequence[str], last: int = 300) -> FigureContent[EpochPanel]:
    """The content of a figure with made-up numbers."""
    series: list[EpochSeries] = [
        {
            "label": f"{level} % removed",
            "scale": level,
            "x": [0, 1, 10, last],
            "y": [1, 2, 3, 4 - level / 100],
            "low": None,
            "high": None,
        }
        for level in (0, 50, 90)
    ]
    shown: list[EpochPanel] = [
        {
            "title": f"{network}: {quantity}",
            "heading": network,
            "study": "noise-scaling",
            "dataset": "digits",
            "network": network,
            "quantity": quantity,
            "xlabel": "Epoch",
            "ylabel": quantity,
            "series": [*series],
        }
        for quantity in quantities
        for network in networks
    ]
    return {"figure": "4", "panels": shown, "fits": []}


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    yield
    plt.close("all")


def test_a_series_is_the_whole_average_at_its_own_epochs(tmp_path: Path) -> None:
    networks = ("dense", "convolutional")
    curves = [curve(tmp_path, "noise-scaling", network=network) for network in networks]
    shown: Any = epochs.collect("7", SHOWS, curves)["panels"]
    assert [(p["quantity"], p["network"]) for p in shown] == [(q, n) for q in SHOWS for n in networks]
    assert shown[0]["title"] == "Digits (8×8), dense: effective rank"
    assert shown[0]["ylabel"] == r"Effective rank $\Gamma(\Theta)$"
    for panel in shown:
        assert [s["label"] for s in panel["series"]] == ["0 % removed", "50 % removed", "90 % removed"]
        at = SPECTRUM_EPOCHS if panel["quantity"] == "effective_rank" else EPOCHS
        for series in panel["series"]:
            mean = average(series["scale"]).along[panel["quantity"]]
            assert series["x"] == at.tolist()
            np.testing.assert_allclose(series["y"], mean.mean)
            np.testing.assert_allclose(series["low"], mean.mean - mean.error)
            np.testing.assert_allclose(series["high"], mean.mean + mean.error)


def test_an_own_study_of_another_axis_names_its_scales(tmp_path: Path) -> None:
    shown = epochs.collect("sgd-width-epochs", SHOWS, [curve(tmp_path, "sgd-width")])
    assert [s["label"] for s in shown["panels"][0]["series"]] == ["m = 8", "m = 16"]
    assert len(panels(drawn(epochs, shown))) == 3


@pytest.mark.parametrize(("rows", "networks", "shape"), [(1, "ab", (1, 2)), (2, "abc", (2, 3))])
def test_panels_stand_in_a_row_for_each_quantity_and_a_column_for_each_network(
    rows: int, networks: str, shape: tuple[int, int]
) -> None:
    figure = epochs.draw(content(SHOWS[1:][:rows], networks))
    assert len(figure.axes) == np.prod(shape)
    grid = np.array(figure.axes).reshape(shape)
    for row in grid:
        assert len({axes.get_ylabel() for axes in row}) == 1
    assert [axes.get_title() for axes in grid[0]] == list(networks)


def test_ranks_share_a_range_and_so_do_accuracies() -> None:
    shown: Any = content(SHOWS, "ab")
    for panel, factor in zip(shown["panels"], (1, 10, 1, 2, 3, 4), strict=True):
        panel["series"] = [{**s, "y": [factor * y for y in s["y"]]} for s in panel["series"]]
    ranks, *accuracies = np.array(drawn(epochs, shown).axes).reshape(3, 2)
    (of_ranks,), (of_accuracies,) = (
        {axes.get_ylim() for axes in np.ravel(own)} for own in (ranks, accuracies)
    )
    # The lines cover 1 to 4.
    assert of_ranks == (pytest.approx(1 - 0.05 * 39), pytest.approx(40 + 0.05 * 39))
    assert of_accuracies == (pytest.approx(1 - 0.05 * 15), pytest.approx(16 + 0.05 * 15))


@pytest.mark.parametrize(
    ("last", "ticks"),
    [
        (1, [0, 1]),
        (9, [0, 1, 2, 5]),
        (50, [0, 1, 2, 5, 10, 20, 50]),
        (300, [0, 1, 10, 100]),
        (1000, [0, 1, 10, 100, 1000]),
    ],
)
def test_every_epoch_from_0_on_is_shown_with_whole_numbers_as_ticks(last: int, ticks: list[int]) -> None:
    figure = epochs.draw(content(SHOWS[:1], "a", last))
    axes = figure.axes[0]
    assert axes.get_xlim() == (0, last)
    figure.canvas.draw()
    assert axes.get_xlabel() == "Epoch (linear to 1, then log)"
    assert [tick for tick in axes.get_xticks() if tick <= last] == ticks
    positions = axes.transData.transform([(epoch, 1) for epoch in range(last + 1)])[:, 0]
    assert np.all(np.diff(positions) > 0)


def test_the_initial_state_alone_is_drawn() -> None:
    shown = content(SHOWS[:1], "a")
    for series in shown["panels"][0]["series"]:
        series |= {"x": [0], "y": [1.0]}
    assert drawn(epochs, shown).axes[0].get_xlim() == (0, 1)


def test_a_level_has_the_same_colour_in_every_panel_and_one_line_in_the_legend() -> None:
    figure = epochs.draw(content(SHOWS[1:], "ab"))
    colours = [[line.get_color() for line in axes.get_lines()] for axes in figure.axes]
    assert all(panel == colours[0] for panel in colours)
    assert len(set(colours[0])) == 3
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["0 % removed", "50 % removed", "90 % removed"]


def test_a_legend_of_many_scales_stays_inside(tmp_path: Path) -> None:
    scales = tuple(range(0, 100, 5))
    figure = drawn(epochs, epochs.collect("4", SHOWS, [curve(tmp_path, "noise-scaling", scales=scales)]))
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert len(legend.get_texts()) == 20
    assert 0 <= box.x0 <= box.x1 <= figure.bbox.x1


def test_colours_get_lighter_with_the_scale_in_any_order() -> None:
    colours = colours_in_order([90, 0, 50, 0])
    assert list(colours) == [0, 50, 90]
    brightness = [np.dot(colour[:3], (0.3, 0.6, 0.1)) for colour in colours.values()]
    assert brightness == sorted(brightness)
