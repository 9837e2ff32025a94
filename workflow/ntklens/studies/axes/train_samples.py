"""The data size D: training samples. A member's draws are nested: the smaller are parts of the larger."""

from ntklens.studies.axis import Axis


def at(point, scale):
    return {**point, "data": {**point["data"], "train_samples": scale}}


TRAIN_SAMPLES = Axis(name="train_samples", folder="size-{scale}", symbol="D", label="Dataset size", at=at)
