"""The settings of the scripts that make archives of results and take files from them.

They are apart from `ntklens.planning.archives`, so that the scripts need no packages for reading configs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ntklens.planning import paths
from ntklens.storage.archives import Manifest
from ntklens.storage.files import FilePath
from ntklens.storage.identity import Kind


@dataclass(frozen=True)
class ArchiveSettings:
    """What workflow/scripts/archive.py writes about an archive: the config's name and its keys as YAML."""

    name: str
    config: str


class Restored(NamedTuple):
    """A file that comes from an archive: its path, its ``name`` in the archive, and what it has to be.

    The name holds no name of a config: one of another name may take the file, if it asks for the same.
    """

    path: str
    name: str
    kind: Kind
    made_with: str  # digest of its settings


@dataclass(frozen=True)
class RestoringSettings:
    """What workflow/scripts/restore.py takes from archives, in the order of its outputs."""

    files: tuple[Restored, ...]


def holder_of(file: Restored, manifests: Iterable[Manifest]) -> Manifest | None:
    """The first archive that holds ``file`` as it has to be."""
    for manifest in manifests:
        found = manifest.files.get(file.name)
        if found is not None and (found.kind, found.made_with) == (file.kind, file.made_with):
            return manifest
    return None


def name_in_archive(path: FilePath, config_name: str) -> str:
    """The name in an archive of the file ``path`` of the results of the config ``config_name``."""
    return Path(path).relative_to(paths.results(config_name)).as_posix()
