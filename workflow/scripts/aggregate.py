"""Average the seeds of every point of one curve."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from ntklens.analysis.averages import AverageError, average
from ntklens.analysis.settings import AveragingSettings, Window
from ntklens.storage.averages import Average, write_averages
from ntklens.storage.run_code import RunCode, are_of_several_versions, points_by_code
from ntklens.storage.run_files import Trajectory, read_run
from ntklens.storage.run_identity import RunIdentityError, check_runs
from ntklens.storage.settings import reader_of


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", required=True, nargs="+", help="run files, in folders named by point")
    parser.add_argument("--settings", required=True, type=reader_of(AveragingSettings))
    parser.add_argument("--out", required=True)
    args = parser.parse_args(argv)
    settings: AveragingSettings = args.settings
    try:
        check_runs(args.runs, settings.curve, settings.points)
    except RunIdentityError as error:
        sys.exit(f"aggregate {args.out}: {error}")
    trajectories: dict[str, list[Trajectory]] = {name: [] for name in settings.points}
    for path in args.runs:
        trajectories[Path(path).parent.name] += read_run(path)
    averages = []
    for name, scale in settings.points.items():
        try:
            averages.append(average(scale, trajectories[name], settings.min_members))
        except AverageError as error:
            sys.exit(f"aggregate {args.out}: {error}")
        print(f"{name}: {report(averages[-1], settings.window)}", file=sys.stderr)
    points = points_by_code(args.runs)
    if are_of_several_versions(args.runs):
        print(f"the run files were made by different code: {_listed(points)}", file=sys.stderr)
    write_averages(args.out, averages, points)


def report(average: Average, window: Window | None) -> str:
    """How many seeds were used; how many minima lie in the ``window`` or, without one, the final values."""
    left_out = f"; left out: {', '.join(average.left_out)}" if average.left_out else ""
    return (
        f"{len(average.seeds)} seeds used, {_minima(average, window) if window else _end(average)}{left_out}"
    )


def _listed(points: Mapping[RunCode, Sequence[str]]) -> str:
    return "; ".join(f"{', '.join(own)} by {code}" for code, own in points.items())


def _minima(average: Average, window: Window) -> str:
    epochs = average.minimum["epoch"]
    inside = np.sum((epochs >= window.first) & (epochs <= window.last))
    return (
        f"{inside} with their minimum inside epochs {window.first} to {window.last} "
        f"(from {epochs.min()} to {epochs.max()})"
    )


def _end(average: Average) -> str:
    last = {
        name: average.along[name].mean[-1] for name in ("train_accuracy", "test_accuracy", "effective_rank")
    }
    return (
        f"train accuracy {last['train_accuracy']:.3f}, test accuracy {last['test_accuracy']:.3f}, "
        f"effective rank {last['effective_rank']:.1f} at the end"
    )


if __name__ == "__main__":
    main()
