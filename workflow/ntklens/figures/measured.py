"""The curves that a figure shows, each with the files that hold what was measured along it."""

from dataclasses import dataclass

from ntklens.data.registry import title
from ntklens.storage.averages import read_averages
from ntklens.storage.files import read_json


@dataclass(frozen=True)
class MeasuredCurve:
    """One study of one network on one dataset, as a figure shows it.

    ``heading`` is what figures call the study; ``symbol`` and ``label`` are those of its axis. ``files`` has
    the path of each kind of file that the figure needs.
    """

    study: str
    dataset: str
    network: str
    heading: str
    symbol: str
    label: str
    files: dict[str, str]

    @property
    def axis_label(self):
        """What an axis of scales is called: ``Model width m``."""
        return self.label if self.symbol == "%" else f"{self.label} {self.symbol}"

    def point_label(self, scale):
        """What one point is called: ``m = 64``."""
        # The one axis in per cent is the share that was removed.
        return f"{scale} % removed" if self.symbol == "%" else f"{self.symbol} = {scale}"

    def averages(self):
        """The `Average` of each point, in order of scale."""
        return read_averages(self.files["averages"])

    def fit(self, need):
        """The content of a fit's JSON file: of ``adaptation-rate``, ``power-laws`` or ``transition``."""
        return read_json(self.files[need])


def measured_curves(settings, files):
    """The `MeasuredCurve`s of a figure: ``files`` are, for each curve, one for each of the figure's needs."""
    curves, needs = settings["curves"], settings["needs"]
    if len(files) != len(curves) * len(needs):
        raise ValueError(f"{len(files)} files are given for {len(curves)} curves of {len(needs)} files each")
    files = iter(files)
    return [MeasuredCurve(**curve, files={need: next(files) for need in needs}) for curve in curves]


def several_networks(curves):
    """Whether a study has more than one network on a dataset, so that the dataset's title is not enough."""
    places = [(curve.study, curve.dataset) for curve in curves]
    return len(set(places)) < len(places)


def name_of(curve, with_network):
    """What a figure calls ``curve`` among others of its study."""
    return f"{title(curve.dataset)}, {curve.network}" if with_network else title(curve.dataset)
