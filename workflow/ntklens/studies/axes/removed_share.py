"""The percentage of every class that is replaced by noisy copies of the rest (App. B.2, D.2)."""

from dataclasses import replace

from ntklens.data.registry import DatasetFacts
from ntklens.data.settings import DataSettings, NoisyCopies
from ntklens.studies.axis import Axis
from ntklens.studies.entries import StudyEntry
from ntklens.studies.jobs import Point

LEAST = 0


def data(base: DataSettings, entry: StudyEntry) -> DataSettings:
    return replace(base, noisy_copies=NoisyCopies(removed_percent=LEAST, sigma=entry.sigma))


def at(point: Point, scale: int) -> Point:
    assert point.data.noisy_copies is not None  # `data` has put them there
    copies = replace(point.data.noisy_copies, removed_percent=scale)
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
    data=data,
    problem=problem,
    least=LEAST,
)
