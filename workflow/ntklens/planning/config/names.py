"""Checks of the names that become parts of file names and of rules: that no two stand for the same file."""

import re

from ntklens.data.registry import names
from ntklens.planning.config.base import LONGEST_NAME, NAME, rule_for_names, shortened
from ntklens.planning.config.messages import require
from ntklens.planning.config.points import dataset_name
from ntklens.planning.config.top import Config

SHARED = "datasets"  # the folder of results that all configs share


def check_study_names(config: Config) -> None:
    """Raise ConfigError for a name whose results or rules would be those of another.

    The names of studies become names of rules, where a hyphen becomes an underscore.
    """
    require(config.name != SHARED, "name", f"results/{SHARED} belongs to all configs; take another name")
    found: dict[str, str] = {}
    for study in config.studies.by_name():
        other = found.setdefault(study.replace("-", "_"), study)
        require(
            other == study,
            f"studies.{study}",
            f"the name differs from {other!r} in hyphens and underscores only; give one of them another name",
        )


def check_curve_names(config: Config) -> None:
    """Raise ConfigError for two curves whose logs and checkpoints would have one name.

    Study, dataset and network are joined by hyphens there, and may hold hyphens themselves.
    """
    found: dict[str, str] = {}
    for study, entries in config.entries.items():
        for index, entry in enumerate(entries):
            for network in entry.networks:
                curve = "/".join((study, dataset_name(entry.dataset), network))
                other = found.setdefault(curve.replace("/", "-"), curve)
                require(
                    other == curve,
                    f"studies.{study}[{index}]",
                    f"logs of {curve} would have the names of those of {other}; rename a study or a network",
                )


def check_own_file(key: str, path: str, own_files: dict[str, str]) -> None:
    """Check that the stem of a user's file is a name, and that no other dataset has it."""
    name, shown = dataset_name(path), shortened(path)
    require(
        re.fullmatch(NAME, name) is not None and len(name) <= LONGEST_NAME,
        key,
        f"{shown}: the file's name, without .npz, must be {rule_for_names(NAME)}",
    )
    require(name not in names(), key, f"{shown}: {name} is the name of another dataset; rename the file")
    other = own_files.setdefault(name, path)
    require(other == path, key, f"{shown} and {shortened(other)} would both be called {name}; rename one")
