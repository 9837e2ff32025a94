"""Checks that run files belong to the point that their folders name, by the root attributes of each file."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import h5py

from ntklens.storage.curve import Curve
from ntklens.storage.files import FilePath


class RunIdentityError(Exception):
    """A run file lies where another one belongs. The message names the file and says what to do."""


def check_runs(paths: Iterable[FilePath], curve: Curve, points: Mapping[str, int]) -> None:
    """Raise RunIdentityError unless every file of ``paths`` belongs to the point that its folder names.

    ``points`` maps the name of a point's folder to its scale. Files of one point have to come from the same
    settings and inputs, and no two of them may hold the same seed.
    """
    first_of: dict[str, tuple[FilePath, dict[str, Any]]] = {}
    seeds_of: dict[tuple[str, int], FilePath] = {}
    for path in paths:
        point = Path(path).parent.name
        if point not in points:
            raise RunIdentityError(f"{path} lies in no folder of a point: those are {', '.join(points)}")
        found = _identity(path)
        expected = {"curve": curve._asdict(), "scale": points[point]}
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


def place_of(path: FilePath) -> tuple[Curve, int]:
    """The curve and the scale of the run file at ``path``. Raises RunIdentityError if it cannot be read."""
    found = _identity(path)
    return Curve(**found["curve"]), int(found["scale"])


def _identity(path: FilePath) -> dict[str, Any]:
    try:
        with h5py.File(path) as file:
            attributes = cast(Any, file.attrs)  # h5py's stubs cannot know an attribute's type
            found = {name: json.loads(attributes[name]) for name in ("settings", "inputs", "seeds")}
        return {**found, **{key: found["settings"][key] for key in ("curve", "scale")}}
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise RunIdentityError(_message(path, f"it cannot be read ({error})")) from None


def _message(path: FilePath, what: str) -> str:
    return (
        f"{path} is not the run file that belongs there: {what}. Delete it, and start again to train it anew"
    )
