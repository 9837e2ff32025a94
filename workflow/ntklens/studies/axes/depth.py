"""The depth L: hidden layers of the network, each of the network's own width."""

from ntklens.studies.axis import Axis


def at(point, scale):
    return {**point, "network": {**point["network"], "hidden_layers": scale}}


DEPTH = Axis(name="depth", folder="depth-{scale}", symbol="L", label="Hidden layers", at=at)
