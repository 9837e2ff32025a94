"""Legends inside panels, where no line, marker or band crosses them.

Sizes of texts and axes are known once the figure is laid out, so legends are placed last.
"""

from collections.abc import Collection

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.transforms import Bbox

CORNERS = ("upper right", "upper left", "lower left", "lower right")
MARGIN = 3  # points, between a legend and what is drawn: a marker is as far from its centre


def clear_legends(figure: Figure) -> None:
    """Move each panel's legend into a corner that is free, or else above the lines, on a longer y axis.

    A legend shares its place with all axes of its panel, which are two if the panel has a second y axis.
    """
    figure.draw_without_rendering()
    for axes in figure.axes:
        legend = axes.get_legend()
        if legend and axes.get_visible():
            _clear(legend, panel_of(axes))


def panel_of(axes: Axes) -> list[Axes]:
    """All axes that are drawn at the same place as ``axes``."""
    place = axes.get_position().bounds
    every = [other for other in axes.figure.axes if isinstance(other, Axes)]
    return [other for other in every if np.allclose(other.get_position().bounds, place)]


def _clear(legend: Legend, panel: Collection[Axes]) -> None:
    for corner in CORNERS:
        legend.set_loc(corner)
        if not covered(legend, panel):
            return
    legend.set_loc(CORNERS[0])
    box = legend.axes.get_window_extent()
    needed = (box.y1 - _box_of(legend).y0) / box.height
    # More than this would leave next to nothing of the lines.
    share = min(needed, 0.8)
    for axes in panel:
        room_for_legend(axes, share / (1 - share))


def covered(legend: Legend, panel: Collection[Axes]) -> bool:
    """Whether a line, marker or band of ``panel`` crosses ``legend``."""
    box = _box_of(legend)
    return any(_crosses(axes, box) for axes in panel)


def _box_of(legend: Legend) -> Bbox:
    figure = legend.figure
    return legend.get_window_extent().padded(MARGIN * figure.dpi / 72)


def _crosses(axes: Axes, box: Bbox) -> bool:
    for line in axes.lines:
        if line.get_transform().transform_path(line.get_path()).intersects_bbox(box, filled=False):
            return True
    bands = [own for own in axes.collections if isinstance(own, PolyCollection)]
    shapes = [(band.get_transform(), path) for band in bands for path in band.get_paths()]
    return any(transform.transform_path(path).intersects_bbox(box) for transform, path in shapes)


def room_for_legend(axes: Axes, share: float) -> None:
    """Extend the y axis upwards by ``share`` of its length."""
    low, high = axes.get_ylim()
    if axes.get_yscale() == "log":
        axes.set_ylim(low, high * (high / low) ** share)
    else:
        axes.set_ylim(low, high + (high - low) * share)
