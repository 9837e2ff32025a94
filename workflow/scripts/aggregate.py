"""Average the seeds of every point of one curve."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from ntklens.analysis.ensemble import EnsembleError, aggregate, write_ensembles
from ntklens.storage.run_files import read_run
from ntklens.storage.run_identity import RunIdentityError, check_runs


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", required=True, nargs="+", help="run files, in folders named by point")
    parser.add_argument("--settings", required=True, type=json.loads)
    parser.add_argument("--out", required=True)
    args = parser.parse_args(argv)
    scales, window = args.settings["points"], args.settings["window"]
    try:
        check_runs(args.runs, args.settings["curve"], scales)
    except RunIdentityError as error:
        sys.exit(f"aggregate {args.out}: {error}")
    trajectories = {name: [] for name in scales}
    for path in args.runs:
        trajectories[Path(path).parent.name] += read_run(path)
    ensembles = []
    for name, scale in scales.items():
        try:
            ensemble = aggregate(scale, trajectories[name], args.settings["min_members"])
        except EnsembleError as error:
            sys.exit(f"aggregate {args.out}: {error}")
        ensembles.append(ensemble)
        report(name, ensemble, window)
    write_ensembles(args.out, ensembles)


def report(name, ensemble, window):
    """One line on stderr: how many seeds were used, and whether their minima lie in the window."""
    epochs = ensemble.minimum_epoch
    inside = np.sum((epochs >= window["first"]) & (epochs <= window["last"]))
    left_out = f"; left out: {', '.join(ensemble.left_out)}" if ensemble.left_out else ""
    print(
        f"{name}: {len(epochs)} seeds used, {inside} with their minimum inside epochs "
        f"{window['first']} to {window['last']} (from {epochs.min()} to {epochs.max()}){left_out}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
