"""Where a result comes from: settings, code version, libraries, inputs."""

import subprocess
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ntklens.storage.files import FilePath, sha256
from ntklens.storage.identity import SCHEMA, Kind
from ntklens.storage.import_closure import code_sha256
from ntklens.storage.settings import as_plain, settings_sha256


def provenance(
    kind: Kind, settings: object, inputs: Iterable[FilePath], libraries: Iterable[str]
) -> dict[str, Any]:
    """The origin of a file: a JSON-ready record of what it is and what determined it.

    ``settings`` are those of the job, a dataclass or a mapping, ``inputs`` are the paths that it
    read, ``libraries`` the names of the packages whose versions matter. Raises FileNotFoundError if an input
    is missing.
    """
    return {
        "kind": kind,
        "schema": SCHEMA,
        "settings": as_plain(settings),
        "settings_sha256": settings_sha256(settings),
        "commit": code_commit(),
        "versions": {name: version(name) for name in sorted(libraries)},
        "inputs": {str(path): sha256(path) for path in inputs},
    }


def code_record(script: FilePath, *modules: str) -> dict[str, Any]:
    """The digest of the code of a job, for its output's provenance, and what the digest is computed from.

    ``script`` is the running script in workflow/scripts, ``modules`` are those that it loads by name.
    """
    return {"code_sha256": code_sha256(script, *modules), "code_roots": [Path(script).name, *modules]}


def code_commit() -> str:
    """The git commit of this code, with "-modified" if tracked files differ from it, or "unknown"."""
    folder = Path(__file__).parent
    describe = ["describe", "--always", "--exclude=*", "--abbrev=40", "--dirty=-modified"]
    command = ["git", "-C", str(folder), *describe]
    try:
        result = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return result.stdout.strip()
