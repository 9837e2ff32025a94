"""In every kind of figure, titles, labels and legends don't overlap and are not cut off."""

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from ntklens.figures import dataset_grid, dynamics, epochs, scaling_laws, transition

from tests.support.measured import curve, drawn, panels

KINDS = {
    "dynamics": (dynamics, ("ntk_trace", "adaptation_rate", "effective_rank")),
    "scaling_laws": (scaling_laws, ()),
    "transition": (transition, ()),
    "epochs": (epochs, ("effective_rank", "train_accuracy", "test_accuracy")),
    "dataset_grid": (dataset_grid, ("label_alignment", "misalignment", "misalignment_of_space")),
}
MODIFIED = "fashion-mnist-modified"
OWN = "photographs-of-my-own-garden-in-late-summer-2024"


def figure_of(name: str, folder: Path, datasets: list[str]) -> Figure:
    kind, shows = KINDS[name]
    studies = ("model-scaling", "data-scaling")
    shown = datasets[:1] if name == "dynamics" else datasets  # one curve for each study
    curves = [curve(folder, study, dataset) for study in studies for dataset in shown]
    if name in ("transition", "epochs"):
        curves = [
            curve(folder, "sgd-width", dataset, network)
            for dataset in datasets
            for network in ("three-layer", "four-layer")
        ]
    return drawn(kind, kind.collect("any", shows, curves))


@pytest.mark.parametrize("name", KINDS)
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


@pytest.mark.parametrize("name", ["scaling_laws", "transition"])
@pytest.mark.parametrize(
    "datasets",
    [["digits", MODIFIED, "mnist", "cifar-4"], [f"own-{i}" for i in range(10)]],
    ids=len,
)
def test_legends_stay_clear_of_the_points(tmp_path: Path, name: str, datasets: list[str]) -> None:
    figure = figure_of(name, tmp_path, datasets)
    for axes in panels(figure):
        legend = axes.get_legend()
        if legend:
            box = legend.get_window_extent()
            for line in axes.lines:
                points = line.get_transform().transform(np.column_stack([line.get_xdata(), line.get_ydata()]))
                assert not any(box.contains(*point) for point in points if line.get_marker() != "None")


def test_more_panels_than_letters_are_all_drawn(tmp_path: Path) -> None:
    curves = [curve(tmp_path, "deep", dataset=f"own-{i}") for i in range(28)]
    figure = drawn(epochs, epochs.collect("deep-epochs", ["effective_rank"], curves))
    assert [axes.get_title(loc="left") for axes in panels(figure)][25:] == ["(z)", "(aa)", "(ab)"]
