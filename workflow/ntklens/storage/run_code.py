"""Which code made run files: the record that run files hold, and that everything made from them passes on.

With ``keep_runs`` in the config, the run files of one curve or figure can come from several versions.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ntklens.storage.files import FilePath
from ntklens.storage.import_closure import WORKFLOW, code_sha256
from ntklens.storage.records import origin_of

UNKNOWN = "unknown"


class RunCode(NamedTuple):
    """One version of the code that trains: the repository's commit, and the digest of the job's code."""

    commit: str
    code_sha256: str

    def __str__(self) -> str:
        return f"commit {self.commit}, code {self.code_sha256[:12]}"


def present_code_sha256(roots: Sequence[str]) -> str | None:
    """The digest of the present code of a job, from its output's ``code_roots``; None if one is gone."""
    script, *modules = roots
    try:
        return code_sha256(WORKFLOW / "scripts" / script, *modules)
    except (OSError, ValueError):
        return None


def code_of_run(path: FilePath) -> RunCode:
    """The code that made the run file ``path``, "unknown" as far as the file does not say it."""
    origin = origin_of(path)
    return RunCode(*(str(origin.get(name, UNKNOWN)) for name in RunCode._fields))


def points_by_code(runs: Iterable[FilePath]) -> dict[RunCode, list[str]]:
    """The points, named by the folders of their run files ``runs``, that each version of the code made."""
    points: dict[RunCode, list[str]] = {}
    for path in runs:
        own = points.setdefault(code_of_run(path), [])
        if Path(path).parent.name not in own:
            own.append(Path(path).parent.name)
    return points


def are_of_several_versions(runs: Iterable[FilePath]) -> bool:
    """Whether two versions of one job's code made the run files ``runs``.

    Wide and narrow networks have trainers of their own, so their digests differ in one version too.
    """
    digests: dict[str, set[str]] = {}
    for path in runs:
        roots = str(origin_of(path).get("code_roots", UNKNOWN))
        digests.setdefault(roots, set()).add(code_of_run(path).code_sha256)
    return any(len(own) > 1 for own in digests.values())


def as_record(points: Mapping[RunCode, Sequence[str]]) -> list[dict[str, Any]]:
    """The result of `points_by_code`, ready for JSON."""
    return [{**code._asdict(), "points": list(own)} for code, own in points.items()]


def run_code_of(paths: Iterable[FilePath]) -> list[dict[str, str]]:
    """The versions of the code behind averages and fits, each once, ready for JSON."""
    recorded = [one for path in paths for one in origin_of(path)["run_code"]]
    found = {RunCode(one["commit"], one["code_sha256"]) for one in recorded}
    return [code._asdict() for code in sorted(found)]
