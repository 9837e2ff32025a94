"""The percentage of every class that is replaced by noisy copies of the rest (App. B.2, D.2)."""

from ntklens.studies.axis import Axis


def data(entry):
    return {"noisy_copies": {"sigma": entry["sigma"]}}


def at(point, scale):
    copies = {**point["data"]["noisy_copies"], "removed_percent": scale}
    return {**point, "data": {**point["data"], "noisy_copies": copies}}


def problem(scale, point, facts):
    samples = point["data"]["train_samples"] // facts.classes
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
    least=0,
)
