"""Reads the run files of one curve, and makes sure that they are all of its runs and nothing else."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from ntklens.storage.curve import Curve
from ntklens.storage.errors import FileError, OtherFileError
from ntklens.storage.files import FilePath
from ntklens.storage.run_checks import check_trajectory
from ntklens.storage.run_files import RunFile, Trajectory, read_run_file


def read_runs(paths: Iterable[FilePath], runs: Mapping[str, str], seeds: int) -> dict[str, list[Trajectory]]:
    """The `Trajectory` of every seed of every point of a curve, by the point's folder and in order of seed.

    ``runs`` maps the folder of each point to the digest of the settings that its run files must have been
    made with; each point must have the ``seeds`` from 0 on. Raises FileError where a file is damaged, belongs
    elsewhere, was made from other input files than the others of its point or has impossible numbers, and
    where seeds are missing or there twice.
    """
    files: dict[str, dict[FilePath, RunFile]] = {point: {} for point in runs}
    for path in paths:
        point = Path(path).parent.name
        if point not in runs:
            raise OtherFileError(f"{path} lies in no folder of a point: those are {', '.join(runs)}")
        files[point][path] = own = read_run_file(path, runs[point])
        for trajectory in own.trajectories:
            check_trajectory(path, trajectory, own.origin["ntk_rows"], _can_have_zero_rows(own))
    return {point: _of_point(point, own, seeds) for point, own in files.items()}


def files_of(curve: Curve, paths: Iterable[FilePath]) -> list[FilePath]:
    """The run files of ``curve`` among ``paths``, by their folders {study}/{dataset}/{network}/{point}."""
    return [path for path in paths if Path(path).parts[-5:-2] == tuple(curve)]


def _can_have_zero_rows(file: RunFile) -> bool:
    """Whether the NTK of the file's network can have rows of zeros: only one without biases can."""
    network = file.origin["settings"].get("network", {})
    return not network.get("biases", True)


def _of_point(point: str, files: Mapping[FilePath, RunFile], seeds: int) -> list[Trajectory]:
    found: dict[int, tuple[FilePath, Trajectory]] = {}
    first_path, first = next(iter(files.items()), (None, None))
    for path, file in files.items():
        if first is not None and file.origin["inputs"] != first.origin["inputs"]:
            raise OtherFileError(_message(path, f"was made from other input files than {first_path}"))
        if [own.seed for own in file.trajectories] != sorted(file.origin["seeds"]):
            raise FileError(_message(path, f"does not hold the seeds {file.origin['seeds']} that it states"))
        for own in file.trajectories:
            if own.seed in found:
                raise OtherFileError(
                    _message(path, f"holds seed {own.seed}, which {found[own.seed][0]} holds too")
                )
            found[own.seed] = path, own
    missing = sorted(set(range(seeds)) - set(found))
    if missing:
        raise FileError(f"no run file of {point} holds the seeds {', '.join(map(str, missing))}: start again")
    return [found[seed][1] for seed in sorted(found)]


def _message(path: FilePath, what: str) -> str:
    return f"{path} {what}: delete it, and start again to train it anew"
