"""Which file names are targets: the patterns that keep wildcards to the files that a config makes.

A wildcard's pattern sees the rest of the file name, so the pattern of a path's first wildcard decides about
all wildcards together: a point of another curve or a batch that the config does not train is no target. The
value of a wildcard becomes part of shell commands, and is a plain name in any case.
"""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from ntklens.planning.config import Config
from ntklens.planning.config.base import NAME
from ntklens.planning.curves import (
    axis_of,
    batches,
    curves,
    follows_minimum,
    learning_rate_of,
    point_name,
    scales,
    verified_curves,
    verified_scales,
)
from ntklens.planning.settings import infinite_width_settings
from ntklens.storage.curve import Curve

NOTHING = "(?!)"  # a pattern that matches nowhere
# `$` matches before a line break at the end, `\Z` does not; nor does `.` match a line break.
REST = r"[/.].*\Z"


class Targets(NamedTuple):
    """Patterns of the wildcard ``dataset``, and of ``study`` for rules of different curves or run files."""

    dataset: str
    averaged: str  # every curve
    calibrated: str  # curves whose learning rates calibration finds
    followed: str  # curves that stop once the test loss has passed its minimum
    by_width: str  # those of them along the width
    closed_form: str  # curves that the closed forms of infinite width describe
    trained: str  # every run file
    verified: str  # the run files on which the NTK is verified


def targets_of(config: Config) -> Targets:
    """The `Targets` of all files that ``config`` makes."""
    every = curves(config)
    followed = [curve for curve in every if follows_minimum(config, curve)]
    return Targets(
        dataset=_names_of(curve.dataset for curve in every),
        averaged=_of_curves(every),
        calibrated=_of_curves(curve for curve in every if learning_rate_of(config, curve) is None),
        followed=_of_curves(followed),
        by_width=_of_curves(curve for curve in followed if axis_of(config, curve).name == "width"),
        closed_form=_of_curves(curve for curve in every if infinite_width_settings(config, curve)),
        trained=_of_runs(run for curve in every for run in _runs(config, curve)),
        verified=_of_runs(
            _runs(config, curve, scale)[0]
            for curve in verified_curves(config)
            for scale in verified_scales(config, curve)
        ),
    )


def _runs(config: Config, curve: Curve, *at: int) -> list[tuple[str, ...]]:
    """The parts of the path of each run file of ``curve``, at these scales or at all."""
    return [
        (*curve, point_name(config, curve, scale), f"seeds-{first}-{last}.h5")
        for scale in at or scales(config, curve)
        for first, last in batches(config, curve, scale)
    ]


def _names_of(names: Iterable[str]) -> str:
    return f"{_alternatives(_tree((name,) for name in names))}(?={REST})"


def _of_curves(own: Iterable[Curve]) -> str:
    return _first_of(own, REST)


def _of_runs(runs: Iterable[tuple[str, ...]]) -> str:
    return _first_of(runs, r"\Z")


def _first_of(paths: Iterable[tuple[str, ...]], rest: str) -> str:
    """A pattern for the first part of any of ``paths``, where the path and ``rest`` follow."""
    tree = _tree(paths)
    return f"(?={_alternatives(tree)}{rest}){NAME}" if tree else NOTHING


def _tree(paths: Iterable[tuple[str, ...]]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path in paths:
        branch = tree
        for part in path:
            branch = branch.setdefault(part, {})
    return tree


def _alternatives(tree: dict[str, Any]) -> str:
    """A pattern for the paths in ``tree``: beginnings that paths share are compared once."""
    branches = [
        re.escape(name) + (f"/{_alternatives(below)}" if below else "") for name, below in tree.items()
    ]
    return f"(?:{'|'.join(branches)})"
