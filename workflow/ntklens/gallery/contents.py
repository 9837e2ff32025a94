"""Collects what the page shows, from the files of a finished run."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

from ntklens.figures.style import RC
from ntklens.gallery.drawings import DrawnFigure, drawn_figure
from ntklens.gallery.embedding import packed, packed_json, picture
from ntklens.gallery.labels import as_html
from ntklens.gallery.origins import CurveOrigin, FigureOrigin, curve_origin, figure_origin
from ntklens.gallery.seeds import Seeds, seeds_of
from ntklens.gallery.settings import ShownCurve, ShownFigure
from ntklens.gallery.spectra import SpectrumPoint, spectrum_point
from ntklens.gallery.verdicts import ShownClaim
from ntklens.storage.averages import Average, read_averages
from ntklens.storage.files import FilePath
from ntklens.storage.records import origin_of, read_record


@dataclass(frozen=True)
class FigurePart:
    """A figure on the page. ``data`` is its JSON file, ``drawing`` how to draw it, both packed."""

    key: str
    title: str
    caption: str
    alternative: str
    picture: str
    width: int
    height: int
    file: str  # the name under which its data is saved, without the suffix
    data: str
    drawing: str
    claims: list[ShownClaim]
    origin: FigureOrigin


@dataclass(frozen=True)
class MeasuredCurves:
    """Every curve of the config, with its averages and where they come from."""

    shown: Sequence[ShownCurve]
    averages: Sequence[list[Average]]
    origins: Sequence[CurveOrigin]

    @property
    def seeds(self) -> Seeds:
        """The numbers of averaged seeds."""
        named = zip((own.curve for own in self.shown), self.averages, strict=True)
        return seeds_of(dict(named))

    def packed_spectra(self) -> str:
        """What the spectrum viewer shows, packed."""
        curves = [
            {
                "title": as_html(shown.title),
                "symbol": shown.symbol,
                "label": as_html(shown.label),
                "points": _points(averages),
            }
            for shown, averages in zip(self.shown, self.averages, strict=True)
        ]
        return packed_json(curves)


def read_curves(shown: Sequence[ShownCurve], files: Sequence[FilePath]) -> MeasuredCurves:
    """The curves ``shown``, of whose averages ``files`` has one file each, in the same order.

    Raises FileError if a file is damaged or another one, and OSError if it cannot be read.
    """
    averages = [read_averages(file, own.averages) for own, file in zip(shown, files, strict=True)]
    origins = [
        curve_origin(own, file, origin_of(file), [left for point in points for left in point.left_out])
        for own, file, points in zip(shown, files, averages, strict=True)
    ]
    return MeasuredCurves(shown, averages, origins)


def read_figure(
    shown: ShownFigure, file: FilePath, caption: str, claims: list[ShownClaim], seeds: Seeds
) -> FigurePart:
    """The figure of the JSON file ``file``, with the PNG beside it. Raises as `read_curves` does."""
    path = Path(file)
    content = read_record(path, "figure", shown.made_with)
    drawing = _drawing(shown, content, seeds)
    uri, width, height = picture(path.with_suffix(".png"))
    return FigurePart(
        key=shown.key,
        title=shown.title,
        caption=caption,
        alternative=" ".join(panel["alternative"] for panel in drawing["panels"]),
        picture=uri,
        width=width,
        height=height,
        file=path.stem,
        data=packed(path.read_bytes()),
        drawing=packed_json(drawing),
        claims=claims,
        origin=figure_origin(path, content),
    )


def _drawing(shown: ShownFigure, content: Mapping[str, Any], seeds: Seeds) -> DrawnFigure:
    kind = importlib.import_module(f"ntklens.figures.{shown.kind}")
    with plt.rc_context(RC):
        figure = kind.draw(content)
    try:
        return drawn_figure(content, shown.kind, figure, seeds)
    finally:
        plt.close(figure)


def _points(averages: Sequence[Average]) -> list[SpectrumPoint]:
    return [spectrum_point(own) for own in averages]
