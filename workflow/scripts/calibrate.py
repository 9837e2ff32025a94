"""Find the learning rate along one curve: trials of a few seeds, without the NTK."""

import argparse
import json
import sys
from dataclasses import asdict

from ntklens.calibration import CalibrationError, calibrate
from ntklens.experiment import Point, minimum_trial
from ntklens.files import write_json
from ntklens.provenance import provenance
from ntklens.runtime import use_compilation_cache, use_threads
from ntklens.schedules import Schedule
from ntklens.subsets import read_subset
from ntklens.training import Adam


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subset", required=True, help="file written by subsample")
    parser.add_argument("--settings", required=True, type=json.loads)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", required=True)
    args = parser.parse_args(argv)
    use_threads(args.threads)
    use_compilation_cache()
    settings, subset = args.settings, read_subset(args.subset)
    points = {entry["scale"]: Point(**entry["point"]) for entry in settings["points"]}
    adam = Adam(**settings["optimizer"])
    schedule = Schedule(settings["window"]["first"], settings["patience"], settings["max_epochs"])
    seeds = range(settings["seeds"])

    def run_trial(scale, rate):
        trial = minimum_trial(points[scale], subset, seeds, adam, rate, schedule, scale)
        print(f"scale {scale}, rate {rate:.3g}: minima at {trial.epochs}", file=sys.stderr)
        return trial

    try:
        calibration = calibrate(
            run_trial,
            list(points),
            settings["target_epoch"],
            settings["tolerance"],
            settings["max_trials"],
            settings["first_rate"],
        )
    except CalibrationError as error:
        sys.exit(f"calibrate: {error}")
    write_json(
        args.out,
        {
            **asdict(calibration),
            "rates": {str(scale): calibration.rate(scale) for scale in points},
            "provenance": provenance(settings, [args.subset], ["jax", "flax", "optax"]),
        },
    )


if __name__ == "__main__":
    main()
