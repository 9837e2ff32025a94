"""An entry of a study, with the values that the checks of consistency need."""

from typing import NamedTuple

from ntklens.planning.config.points import axis_of_entry, point_at, rate_of_entry
from ntklens.planning.config.top import Config
from ntklens.studies.axis import Axis
from ntklens.studies.catalogue import SCALE_KEYS
from ntklens.studies.entries import StudyEntry
from ntklens.studies.jobs import Point


class CheckedEntry(NamedTuple):
    """One entry of a study: its place in the config, and the entry itself in the general form."""

    config: Config
    study: str
    position: int
    general: StudyEntry

    @property
    def key(self) -> str:
        """The entry's key in the config."""
        return f"studies.{self.study}[{self.position}]"

    @property
    def axis(self) -> Axis:
        return axis_of_entry(self.general)

    @property
    def scales_key(self) -> str:
        return f"{self.key}.{SCALE_KEYS.get(self.study, 'scales')}"

    @property
    def calibrated(self) -> bool:
        return rate_of_entry(self.general) is None

    def point(self, network: str, scale: int) -> Point:
        """The entry's point at ``scale`` for the network of this name."""
        return point_at(self.general, self.config.networks[network], scale)
