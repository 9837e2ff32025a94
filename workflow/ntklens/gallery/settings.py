"""The settings of the gallery: plain names and texts, which Snakemake passes to the script that writes it.

This module imports neither Matplotlib nor h5py: Snakemake imports it in every job that it starts.
"""

from dataclasses import dataclass

from ntklens.storage.curve import Curve


@dataclass(frozen=True)
class ShownFigure:
    """One figure of the config. ``made_with`` is the digest of the settings that it was made with."""

    key: str
    title: str
    kind: str  # the module of `ntklens.figures` that draws it
    made_with: str


@dataclass(frozen=True)
class ShownCurve:
    """One curve of the config.

    ``averages`` is the digest of the settings that its averages must have been made with. ``config`` is the
    slice of the config behind its run files: each setting by its dotted name, with its values on the curve.
    """

    curve: Curve
    title: str  # in words
    symbol: str  # of the scale, such as m
    label: str  # of the axis, such as Model width
    averages: str
    config: dict[str, str]


@dataclass(frozen=True)
class GallerySettings:
    """What the gallery of a config shows."""

    name: str  # of the config
    figures: tuple[ShownFigure, ...]
    curves: tuple[ShownCurve, ...]
