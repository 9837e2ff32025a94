"""The width m: units of every hidden layer (App. D.1)."""

from ntklens.studies.axis import Axis


def at(point, scale):
    return {**point, "network": {**point["network"], "width": scale}}


WIDTH = Axis(name="width", folder="width-{scale}", symbol="m", label="Model width", at=at)
