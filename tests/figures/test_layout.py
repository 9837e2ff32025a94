"""In every kind of figure, titles, labels, ticks and legends don't overlap and are not cut off."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from ntklens.figures import (
    dataset_grid,
    dynamics,
    epochs,
    ranks_of_layers,
    scaling_laws,
    transition,
    transition_origin,
)
from ntklens.figures.legends import covered, panel_of

from tests.support.measured import assert_labels_apart, curve, drawn, panels

KINDS = {
    "dynamics": (dynamics, ("ntk_trace", "adaptation_rate", "effective_rank")),
    "scaling_laws": (scaling_laws, ()),
    "transition": (transition, ()),
    "epochs": (epochs, ("effective_rank", "train_accuracy", "test_accuracy")),
    "dataset_grid": (dataset_grid, ("label_alignment", "misalignment", "misalignment_of_space")),
    "transition_origin": (transition_origin, ()),
    "ranks_of_layers": (ranks_of_layers, ()),
}
ONE_CURVE = ("dynamics", "ranks_of_layers")  # of each study
MODIFIED = "fashion-mnist-modified"
OWN = "photographs-of-my-own-garden-in-late-summer-2024"


# Kinds whose panels are named after datasets, and kinds with an axis of scales or of the train loss.
NAMED = [name for name in KINDS if name != "ranks_of_layers"]
WITH_LOG_AXES = [name for name in KINDS if name != "epochs"]


def figure_of(name: str, folder: Path, datasets: list[str], scales: Sequence[int] | None = None) -> Figure:
    kind, shows = KINDS[name]
    studies = ("model-scaling", "data-scaling")
    shown = datasets[:1] if name in ONE_CURVE else datasets
    curves = [curve(folder, study, dataset, scales=scales) for study in studies for dataset in shown]
    if name in ("transition", "epochs", "transition_origin"):
        curves = [
            curve(folder, "sgd-width", dataset, network, scales)
            for dataset in datasets
            for network in ("three-layer", "four-layer")
        ]
    return drawn(kind, kind.collect("any", shows, curves))


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize(
    "datasets", [[MODIFIED, "cifar-10-modified", "digits"], [OWN, "digits"], [MODIFIED]], ids=len
)
def test_long_names_fit(tmp_path: Path, name: str, datasets: list[str]) -> None:
    figure = figure_of(name, tmp_path, datasets)
    shown = [text.get_text().replace("\n", " ") for text in figure.findobj(Text)]
    expected = "Fashion-MNIST (modified data)" if datasets[0] == MODIFIED else OWN
    assert any(expected in text or expected in text.replace(" ", "") for text in shown)
    for axes in panels(figure):
        panel: Any = axes  # Matplotlib has no public name for the left title
        titles = [panel.title, panel._left_title, panel.yaxis.offsetText]
        boxes = [text.get_window_extent() for text in titles if text.get_text()]
        assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
    names = [text for axes in panels(figure) for text in (axes.title, axes.xaxis.label, axes.yaxis.label)]
    for artist in (*figure.legends, *names):
        box = artist.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1


def assert_legends_clear(figure: Figure) -> None:
    """Assert that every panel's legend lies in its axes, and that no line, marker or band crosses it."""
    for axes in panels(figure):
        legend = axes.get_legend()
        if legend:
            assert not covered(legend, panel_of(axes))
            box, own = legend.get_window_extent(), axes.get_window_extent()
            assert own.x0 <= box.x0 < box.x1 <= own.x1
            assert own.y0 <= box.y0 < box.y1 <= own.y1


@pytest.mark.parametrize(
    ("name", "datasets"),
    [
        ("scaling_laws", ["digits", MODIFIED, "mnist", "cifar-4"]),
        ("scaling_laws", [f"own-{i}" for i in range(10)]),
        ("transition", ["digits", MODIFIED]),
    ],
)
def test_legends_of_many_lines_stay_clear(tmp_path: Path, name: str, datasets: list[str]) -> None:
    assert_legends_clear(figure_of(name, tmp_path, datasets))


@pytest.mark.parametrize("name", WITH_LOG_AXES)
@pytest.mark.parametrize("scales", [(8, 16, 32, 64), tuple(8 * 2**i for i in range(8))], ids=len)
def test_grids_narrow_and_wide_have_labels_apart_and_legends_clear(
    tmp_path: Path, name: str, scales: tuple[int, ...]
) -> None:
    figure = figure_of(name, tmp_path, ["digits"], scales)
    for axes in (axes for axes in figure.axes if axes.get_visible()):
        for axis in (axes.xaxis, axes.yaxis):
            assert_labels_apart(axis.get_ticklabels(which="both"))
    assert_legends_clear(figure)


def test_more_panels_than_letters_are_all_drawn(tmp_path: Path) -> None:
    curves = [curve(tmp_path, "deep", dataset=f"own-{i}") for i in range(28)]
    figure = drawn(epochs, epochs.collect("deep-epochs", ["effective_rank"], curves))
    assert [axes.get_title(loc="left") for axes in panels(figure)][25:] == ["(z)", "(aa)", "(ab)"]
