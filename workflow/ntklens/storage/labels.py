"""Labels by which other programs understand the HDF5 files: what the axes of datasets are, and what to plot.

A *dimension scale* is a dataset that holds the positions along an axis of others, such as ``epoch`` (HDF5's
specification of dimension scales). xarray and the netCDF libraries name axes by it and select along it.

A group to plot has the attributes of the class NXdata of NeXus: ``signal`` names the dataset to plot, and
``axes`` the dimension scales to plot it over. The attribute ``default`` leads from the root to the group that
is shown first. H5Web and silx follow both.

The workflow itself needs no labels: it reads files from before there were any in the same way.
"""

import json
from collections.abc import Sequence
from typing import Literal, cast

import h5py

Interpretation = Literal["spectrum", "image", "rgb-image", "rgba-image"]  # as NeXus has it

# The attributes that `mark_plot` and `mark_default` set. At the root they are no part of a file's origin.
PLOT_ATTRIBUTES = ("NX_class", "signal", "axes", "auxiliary_signals", "SILX_style", "default")
NO_SCALE = "."  # stands for an axis that is plotted by number


def make_scale(dataset: h5py.Dataset) -> None:
    """Let ``dataset`` be a dimension scale, which `attach` finds by its name."""
    dataset.make_scale(str(dataset.name).rpartition("/")[2])


def attach(dataset: h5py.Dataset, axes: Sequence[str]) -> None:
    """Label each axis of ``dataset`` by the dimension scale of that name in its group.

    No ``axes`` leave it without labels. Raises ValueError if an axis and its scale differ in length.
    """
    for number, name in enumerate(axes):
        scale = cast(h5py.Dataset, cast(h5py.Group, dataset.parent)[name])
        if dataset.shape[number] != len(scale):
            raise ValueError(
                f"{dataset.name} has {dataset.shape[number]} values along {name}, which has {len(scale)}"
            )
        dataset.dims[number].attach_scale(scale)


def mark_plot(
    group: h5py.Group,
    signal: str,
    axes: Sequence[str],
    together_with: Sequence[str] = (),
    interpretation: Interpretation | None = None,
    logarithmic: bool = False,
) -> None:
    """Say that ``group`` is plotted as its dataset ``signal`` over the dimension scales ``axes``.

    Datasets of the same shape can be plotted ``together_with`` it. The ``interpretation`` says what the last
    axes of an array of many are: a curve or an image. A dataset that is missing or empty is not plotted.
    """
    plotted = group.get(signal)
    if not isinstance(plotted, h5py.Dataset) or not plotted.size:
        return
    group.attrs["NX_class"] = "NXdata"
    group.attrs["signal"] = signal
    group.attrs["axes"] = list(axes)
    if together_with:
        group.attrs["auxiliary_signals"] = list(together_with)
    if interpretation is not None:
        plotted.attrs["interpretation"] = interpretation
    if logarithmic:
        group.attrs["SILX_style"] = json.dumps({"signal_scale_type": "log"})


def mark_default(parent: h5py.Group, child: str) -> None:
    """Say that a program which is given ``parent`` shows its group ``child``."""
    parent.attrs["default"] = child
