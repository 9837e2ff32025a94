"""A small valid config, and ways to change it."""

from ntklens.storage.curve import Curve

BY_WIDTH = Curve("model-scaling", "digits", "three-layer")
BY_SIZE = Curve("data-scaling", "digits", "four-layer")
WIDTHS = ("studies", "model-scaling", 0)
SIZES = ("studies", "data-scaling", 0)


def small():
    """Both studies on digits, everything else left to the defaults."""
    return {
        "name": "small",
        "studies": {
            "model-scaling": [{"dataset": "digits", "widths": [8, 32], "calibrate_at": [8, 32]}],
            "data-scaling": [{"dataset": "digits", "sizes": [40, 160], "calibrate_at": [40, 163]}],
        },
    }


def changed(path, value):
    """`small` with ``value`` at ``path``, sections made on the way."""
    config = small()
    place = config
    for key in path[:-1]:
        place = place[key] if isinstance(key, int) else place.setdefault(key, {})
    place[path[-1]] = value
    return config


def without(path):
    config = small()
    place = config
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return config
