"""Whether run files are what their folders say: read from the root attributes of each."""

import json
from pathlib import Path

import h5py


class RunIdentityError(Exception):
    """A run file lies where another belongs. The message names the file and says what to do."""


def check_runs(paths, curve, points):
    """Raise RunIdentityError unless every file of ``paths`` belongs to the point that its folder names.

    ``curve`` has the keys study, dataset and network; ``points`` maps a folder's name to its scale. Files of
    one point have to come from the same settings and inputs, and no seed may stand in two of them.
    """
    first_of, seeds_of = {}, {}
    for path in paths:
        point = Path(path).parent.name
        if point not in points:
            raise RunIdentityError(f"{path} lies in no folder of a point: those are {', '.join(points)}")
        found = _identity(path)
        expected = {"curve": curve, "scale": points[point]}
        for key, value in expected.items():
            if found[key] != value:
                raise RunIdentityError(_message(path, f"it holds {key} {found[key]}, not {value}"))
        first_path, first = first_of.setdefault(point, (path, found))
        for key in ("settings", "inputs"):
            if found[key] != first[key]:
                raise RunIdentityError(_message(path, f"its {key} are not those of {first_path}"))
        for seed in found["seeds"]:
            other = seeds_of.setdefault((point, seed), path)
            if other != path:
                raise RunIdentityError(_message(path, f"it holds seed {seed}, which {other} holds too"))


def _identity(path):
    try:
        with h5py.File(path) as file:
            found = {name: json.loads(file.attrs[name]) for name in ("settings", "inputs", "seeds")}
        return {**found, **{key: found["settings"][key] for key in ("curve", "scale")}}
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise RunIdentityError(_message(path, f"it cannot be read ({error})")) from None


def _message(path, what):
    return (
        f"{path} is not the run file that belongs there: {what}. Delete it, and start again to train it anew"
    )
