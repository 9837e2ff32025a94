"""Positions and colours of the panels of figures 5, 6 and 8, and of own studies."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from ntklens.figures import dataset_grid
from ntklens.figures.content import FigureContent
from ntklens.figures.dataset_grid import GridPanel
from ntklens.figures.measured import MeasuredCurve

from tests.support.measured import assert_labels_apart, average, curve, drawn, panels

LONG = "fashion-mnist-modified"
SHOWS = {
    "5": ("ntk_trace", "adaptation_rate"),
    "6": ("effective_rank",),
    "8": ("label_alignment", "misalignment", "misalignment_of_space"),
    "sgd-width-dynamics": ("ntk_trace", "adaptation_rate", "effective_rank"),
}


def collected(key: str, curves: Sequence[MeasuredCurve]) -> FigureContent[GridPanel]:
    return dataset_grid.collect(key, SHOWS[key], curves)


def bars(figure: Figure) -> list[Axes]:
    """The colour bars: visible axes without lines."""
    return [axes for axes in figure.axes if axes.get_visible() and not axes.lines]


def places(figure: Figure) -> dict[str, tuple[int, int]]:
    """Row and column of the axes with each letter."""
    specs: dict[str, Any] = {axes.get_title(loc="left"): axes.get_subplotspec() for axes in panels(figure)}
    return {letter: (spec.rowspan.start, spec.colspan.start) for letter, spec in specs.items() if letter}


def test_panels_read_row_by_row_however_the_curves_are_ordered(tmp_path: Path) -> None:
    pairs = [
        ("model-scaling", "digits"),
        ("data-scaling", "mnist"),
        ("data-scaling", "digits"),
        ("model-scaling", LONG),
    ]
    content = collected("6", [curve(tmp_path, *pair) for pair in pairs])
    assert [(p["study"], p["dataset"]) for p in content["panels"]] == [
        ("model-scaling", "digits"),
        ("model-scaling", LONG),
        ("data-scaling", "digits"),
        ("data-scaling", "mnist"),
    ]
    figure = drawn(dataset_grid, content)
    assert places(figure) == {"(a)": (0, 0), "(b)": (0, 1), "(c)": (1, 0), "(d)": (1, 2)}


@pytest.mark.parametrize(("key", "stacked"), [("5", 2), ("6", 1), ("8", 3)])
def test_a_dataset_without_a_study_leaves_its_place_empty(tmp_path: Path, key: str, stacked: int) -> None:
    pairs = [("model-scaling", "digits"), ("model-scaling", "mnist"), ("data-scaling", "mnist")]
    figure = drawn(dataset_grid, collected(key, [curve(tmp_path, *pair) for pair in pairs]))
    assert len(panels(figure)) == 3 * stacked
    assert len([axes for axes in figure.axes if not axes.get_visible()]) == stacked
    for axes in panels(figure):
        assert axes.get_xscale() == "log"
        assert axes.get_xlim()[0] > axes.get_xlim()[1]  # training reads from left to right
    assert [bar.get_ylabel() for bar in bars(figure)] == ["Model width", "Dataset size"]
    assert len(figure.legends) == (key == "8")


def test_a_rows_datasets_share_colours(tmp_path: Path) -> None:
    """Width 64 has the same colour in a panel of widths up to 64 as in its neighbour, of widths up to 512."""
    curves = [
        curve(tmp_path, dataset=name, scales=scales)
        for name, scales in (("digits", (8, 64)), ("mnist", (8, 64, 512)))
    ]
    left, right = panels(drawn(dataset_grid, collected("6", curves)))
    assert left.lines[1].get_color() == right.lines[1].get_color() != right.lines[2].get_color()


def test_every_scale_has_a_tick_on_the_bar_beside_it(tmp_path: Path) -> None:
    """A row shares one bar, unless its datasets have more scales than one bar can label."""
    sizes = {"mnist": (72, 112, 176, 280, 440, 700, 1120), "digits": (40, 60, 90, 136, 204, 320)}
    curves = [curve(tmp_path, "data-scaling", dataset, scales=own) for dataset, own in sizes.items()]
    widths = [
        curve(tmp_path, dataset=name, scales=(8, 64, 512)[:n]) for name, n in (("mnist", 3), ("digits", 2))
    ]
    figure = drawn(dataset_grid, collected("6", [*widths, *curves]))
    shared, *own_bars = bars(figure)
    assert [text.get_text() for text in shared.get_yticklabels()] == ["8", "64", "512"]
    for bar, own in zip(own_bars, sizes.values(), strict=True):
        assert [text.get_text() for text in bar.get_yticklabels()] == [str(size) for size in own]
        assert bar.get_ylim() == pytest.approx((40, 1120))  # colours mean the same in both panels
        assert_labels_apart(bar.get_yticklabels())


def test_a_scale_without_a_label_has_a_tick(tmp_path: Path) -> None:
    curves = [curve(tmp_path, "data-scaling", scales=(1, 95, 98, 100))]
    (bar,) = bars(drawn(dataset_grid, collected("6", curves)))
    assert [text.get_text() for text in bar.get_yticklabels()] == ["1", "100"]
    assert sorted({*bar.get_yticks(), *bar.get_yticks(minor=True)}) == [1, 95, 98, 100]


def test_the_axis_of_the_train_loss_says_that_it_falls(tmp_path: Path) -> None:
    figure = drawn(dataset_grid, collected("5", [curve(tmp_path)]))
    trace, rate = panels(figure)
    assert (trace.get_xlabel(), rate.get_xlabel()) == ("", "Train loss (log, falling →)")


def test_several_networks_of_a_study_have_a_row_each(tmp_path: Path) -> None:
    pairs = [("digits", "wide"), ("digits", "deep"), ("mnist", "wide")]
    curves = [curve(tmp_path, "sgd-width", *pair) for pair in pairs]
    content = collected("sgd-width-dynamics", curves)
    assert [p["heading"] for p in content["panels"][::3]] == [
        "Digits (8×8), wide",
        "MNIST, wide",
        "Digits (8×8), deep",
    ]
    figure = drawn(dataset_grid, content)
    assert places(figure) == {"(a)": (0, 0), "(b)": (0, 1), "(c)": (3, 0)}
    assert len(panels(figure)) == 9
    assert [bar.get_ylabel() for bar in bars(figure)] == 2 * ["Model width"]


def test_one_network_on_each_dataset_makes_one_row_whatever_their_names(tmp_path: Path) -> None:
    curves = [curve(tmp_path, "sgd-width", "digits", "wide"), curve(tmp_path, "sgd-width", "mnist", "deep")]
    content = collected("6", curves)
    assert [p["heading"] for p in content["panels"]] == ["Digits (8×8)", "MNIST"]
    assert places(drawn(dataset_grid, content)) == {"(a)": (0, 0), "(b)": (0, 1)}


def test_names_of_axes_are_no_longer_than_the_axes(tmp_path: Path) -> None:
    curves = [curve(tmp_path, "sgd-width", network=network) for network in ("wide", "deep")]
    for axes in panels(drawn(dataset_grid, collected("sgd-width-dynamics", curves))):
        assert axes.yaxis.label.get_window_extent().height <= axes.get_window_extent().height


@pytest.mark.parametrize("scales", [(0,), (8,), (0, 50, 90)])
def test_one_point_and_scale_0_have_a_colour(tmp_path: Path, scales: tuple[int, ...]) -> None:
    content = collected("sgd-width-dynamics", [curve(tmp_path, "copies", scales=scales)])
    assert [s["label"] for s in content["panels"][0]["series"]] == [f"{s} % removed" for s in scales]
    figure = drawn(dataset_grid, content)
    colours = [line.get_color() for line in panels(figure)[0].lines]
    assert len(set(colours)) == len(scales)
    (bar,) = bars(figure)
    assert [text.get_text() for text in bar.get_yticklabels()] == [str(scale) for scale in scales]


def test_one_epoch_up_to_the_minimum_is_drawn(tmp_path: Path) -> None:
    averages = [average(8)]
    object.__setattr__(averages[0], "minimum_epoch", 0)
    content = collected("6", [curve(tmp_path, averages=averages)])
    assert len(content["panels"][0]["series"][0]["y"]) == 1
    drawn(dataset_grid, content)
