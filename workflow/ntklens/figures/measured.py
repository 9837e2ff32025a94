"""The curves that a figure shows, each with the files of the measurements along it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ntklens.data.registry import title
from ntklens.figures.settings import DescribedCurve, FigureSettings
from ntklens.storage.averages import Average, read_averages
from ntklens.storage.identity import Kind
from ntklens.storage.records import read_record

KINDS: dict[str, Kind] = {
    "adaptation-rate": "adaptation rate",
    "power-laws": "power laws",
    "transition": "transition",
    "ends": "ends",
}


@dataclass(frozen=True)
class MeasuredCurve(DescribedCurve):
    """A curve and its ``files``: the path of each kind of file that the figure needs."""

    files: dict[str, str]

    @property
    def axis_label(self) -> str:
        """The label of an axis of scales: ``Model width m``."""
        return self.label if self.symbol == "%" else f"{self.label} {self.symbol}"

    def point_label(self, scale: int) -> str:
        """The label of one point: ``m = 64``."""
        # Only the axis of the removed share is in per cent.
        return f"{scale} % removed" if self.symbol == "%" else f"{self.symbol} = {scale}"

    def averages(self) -> list[Average]:
        """The `Average` of each point, in order of scale. Raises as `read_averages` does."""
        return read_averages(self.files["averages"], self.made_with["averages"])

    def fit(self, need: str) -> Any:
        """The content of a fit's JSON file: ``adaptation-rate``, ``power-laws``, ``transition`` or ``ends``.

        Raises FileError if the file is damaged or another one, and OSError if it cannot be read.
        """
        return read_record(self.files[need], KINDS[need], self.made_with[need])


def measured_curves(settings: FigureSettings, files: Sequence[str]) -> list[MeasuredCurve]:
    """The `MeasuredCurve`s of a figure. ``files`` has one file for each curve and each of the figure's needs.

    Raises ValueError where their number does not fit.
    """
    curves, needs = settings.curves, settings.needs
    if len(files) != len(curves) * len(needs):
        raise ValueError(f"{len(files)} files are given for {len(curves)} curves of {len(needs)} files each")
    left = iter(files)
    return [MeasuredCurve(**vars(curve), files={need: next(left) for need in needs}) for curve in curves]


def several_networks(curves: Sequence[DescribedCurve]) -> bool:
    """Whether a study has several networks on one dataset, so that the dataset's title is not enough."""
    places = [(curve.study, curve.dataset) for curve in curves]
    return len(set(places)) < len(places)


def name_of(curve: DescribedCurve, with_network: bool) -> str:
    """The name of ``curve`` in a figure that shows others of its study."""
    return f"{title(curve.dataset)}, {curve.network}" if with_network else title(curve.dataset)
