"""Checks of the names that become parts of file names and of rules.

No two stand for the same file, and those that are joined make no name that file systems do not take.
"""

import re

from ntklens.data.registry import names
from ntklens.planning import paths
from ntklens.planning.config.base import LONGEST_NAME, NAME, rule_for_names, shortened
from ntklens.planning.config.messages import require
from ntklens.planning.config.points import axis_of_entry, dataset_name
from ntklens.planning.config.top import Config
from ntklens.storage.files import PARTIAL
from ntklens.studies.entries import StudyEntry

SHARED = "datasets"  # the folder of results that all configs share
RANDOM_SIGNS = 8  # of a temporary file's name, from Python's tempfile
LONGEST_FILE_NAME = 255  # bytes, of most file systems


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
    """Raise ConfigError for curves whose logs and checkpoints would have one name, or one that is too long.

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
                size = len(longest_file_name(config, curve, entry).encode())
                require(
                    size <= LONGEST_FILE_NAME,
                    f"studies.{study}[{index}]",
                    f"checkpoints of {curve} would have names of {size} bytes, more than the "
                    f"{LONGEST_FILE_NAME} that file systems take; shorten the name of the study, the dataset "
                    "or the network",
                )


def longest_file_name(config: Config, curve: str, entry: StudyEntry) -> str:
    """The longest one that the workflow gives a file of ``curve``: that of a half-written checkpoint."""
    seed = (entry.seeds or config.ensemble.seeds) - 1
    study, dataset, network = curve.split("/")
    key = paths.BATCH_KEY.format(
        study=study,
        dataset=dataset,
        network=network,
        point=axis_of_entry(entry).folder.format(scale=max(entry.scales)),
        first=seed,
        last=seed,
    )
    return f"{PARTIAL}{key}-{'x' * RANDOM_SIGNS}.npz"


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
