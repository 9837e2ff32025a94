"""The percentage of every class that is replaced by noisy copies of the rest (App. B.2, D.2)."""

from dataclasses import replace

from ntklens.data.registry import DatasetFacts
from ntklens.data.settings import NoisyCopies
from ntklens.studies.axis import Axis
from ntklens.studies.entries import StudyEntry
from ntklens.studies.jobs import Point


def at(point: Point, scale: int, entry: StudyEntry) -> Point:
    copies = NoisyCopies(removed_percent=scale, sigma=entry.sigma)
    return replace(point, data=replace(point.data, noisy_copies=copies))


def problem(scale: int, point: Point, facts: DatasetFacts) -> str | None:
    samples = point.data.train_samples // facts.classes
    if scale >= 100 or round(samples * scale / 100) == samples:
        return f"{scale} % leaves none of the {samples} samples of a class"
    return None


REMOVED_SHARE = Axis(
    name="removed_share",
    folder="removed-{scale}",
    symbol="%",
    label="Percentage removed",
    at=at,
    problem=problem,
    least=0,
)
