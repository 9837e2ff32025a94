"""Average the seeds of every level of removal, of one network on one dataset."""

import argparse
import json
import sys
from pathlib import Path

from ntklens.analysis.ensemble import EnsembleError
from ntklens.analysis.noise_ensemble import aggregate_level, write_noise_ensembles
from ntklens.storage.noise_run_files import read_noise_run
from ntklens.storage.run_identity import RunIdentityError, check_runs


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", required=True, nargs="+", help="run files, in folders named by point")
    parser.add_argument("--settings", required=True, type=json.loads)
    parser.add_argument("--out", required=True)
    args = parser.parse_args(argv)
    levels = args.settings["points"]
    try:
        check_runs(args.runs, args.settings["curve"], levels)
    except RunIdentityError as error:
        sys.exit(f"aggregate_noise {args.out}: {error}")
    trajectories = {name: [] for name in levels}
    for path in args.runs:
        trajectories[Path(path).parent.name] += read_noise_run(path)
    ensembles = []
    for name, removed_percent in levels.items():
        try:
            ensemble = aggregate_level(removed_percent, trajectories[name])
        except EnsembleError as error:
            sys.exit(f"aggregate_noise {args.out}: {error}")
        ensembles.append(ensemble)
        report(name, ensemble)
    write_noise_ensembles(args.out, ensembles)


def report(name, ensemble):
    """One line on stderr: how many seeds were used, and where training ended."""
    left_out = f"; left out: {', '.join(ensemble.left_out)}" if ensemble.left_out else ""
    print(
        f"{name}: {len(ensemble.seeds)} seeds used, train accuracy {ensemble.train_accuracy[-1]:.3f}, "
        f"test accuracy {ensemble.test_accuracy[-1]:.3f}, effective rank {ensemble.effective_rank[-1]:.1f} "
        f"at the end{left_out}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
