"""Average the seeds of every point of one curve."""

import argparse
import sys
from collections.abc import Mapping, Sequence

import numpy as np
from ntklens.analysis.averages import AverageError, average
from ntklens.analysis.settings import AveragingSettings, Window
from ntklens.machine.rule_script import run_script
from ntklens.storage.averages import Average, write_averages
from ntklens.storage.provenance import provenance
from ntklens.storage.run_code import RunCode, are_of_several_versions, as_record, points_by_code
from ntklens.storage.run_identity import read_runs
from ntklens.storage.settings_reader import reader_of

ROUNDED = 1e-6  # a cross-entropy in single precision has no digits below this
LATE = 0.98  # of the epochs that all seeds have: there the mean may be least because the first seed stopped


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", required=True, nargs="+", help="run files, in folders named by point")
    parser.add_argument("--settings", required=True, type=reader_of(AveragingSettings))
    parser.add_argument("--out", required=True)
    args = parser.parse_args(argv)
    aggregate(args.runs, args.settings, args.out)


def aggregate(runs: Sequence[str], settings: AveragingSettings, out: str) -> None:
    """Write the averages of the run files ``runs`` to ``out``."""
    trajectories = read_runs(runs, settings.runs, settings.seeds)
    averages = []
    for name, scale in settings.points.items():
        try:
            averages.append(average(scale, trajectories[name], settings.min_members))
        except AverageError as error:
            sys.exit(f"aggregate {out}: {error}")
        print(f"{name}: {report(averages[-1], settings.window)}", file=sys.stderr)
    points = points_by_code(runs)
    if are_of_several_versions(runs):
        print(f"the run files were made by different code: {_listed(points)}", file=sys.stderr)
    origin = provenance("averages", settings, runs, ["numpy", "h5py"])
    write_averages(out, averages, {**origin, "run_code": as_record(points)})


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
        f"(from {epochs.min()} to {epochs.max()}){_late(average)}{_rounded(average)}"
    )


def _late(average: Average) -> str:
    """That the mean test loss is least where the curves of all seeds end, if it is."""
    least, last = average.minimum_epoch, average.along["test_loss"].epoch[-1]
    if least < LATE * last:
        return ""
    return f"; their mean test loss is least at epoch {least}, and the first seed stopped at {last}"


def _rounded(average: Average) -> str:
    """That the least test loss of some seeds is so small that rounding may have put it where it is."""
    count = int(np.sum(average.minimum["test_loss"] < ROUNDED))
    return f"; the least test loss of {count} is below {ROUNDED:g}, where rounding decides" if count else ""


def _end(average: Average) -> str:
    last = {
        name: average.along[name].mean[-1] for name in ("train_accuracy", "test_accuracy", "effective_rank")
    }
    return (
        f"train accuracy {last['train_accuracy']:.3f}, test accuracy {last['test_accuracy']:.3f}, "
        f"effective rank {last['effective_rank']:.1f} at the end"
    )


if __name__ == "__main__":
    run_script(main)
