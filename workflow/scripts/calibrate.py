"""Find the learning rate along one curve: trials of a few seeds, without the NTK."""

import argparse
import json
import sys
from dataclasses import asdict
from functools import partial

from ntklens.data.subsets import read_subset
from ntklens.machine import jobs
from ntklens.storage.files import write_json
from ntklens.storage.provenance import provenance
from ntklens.studies.experiment import Point, minimum_trial
from ntklens.training.calibration import CalibrationError, Trial, calibrate
from ntklens.training.full_batch import Adam, state_of
from ntklens.training.schedules import Schedule


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subset", required=True, help="file written by subsample")
    parser.add_argument("--settings", required=True, type=json.loads)
    parser.add_argument("--out", required=True)
    jobs.add_arguments(parser)
    args = parser.parse_args(argv)
    jobs.start(args, "calibrate", args.settings["points"][0]["point"]["network"])
    settings, subset = args.settings, read_subset(args.subset)
    points = {entry["scale"]: Point(**entry["point"]) for entry in settings["points"]}
    adam = Adam(**settings["optimizer"])
    schedule = Schedule(settings["window"]["first"], settings["patience"], settings["max_epochs"])
    seeds = range(settings["seeds"])
    record = provenance(settings, [args.subset], ["jax", "flax", "optax"])
    checkpoint = jobs.open_checkpoint(args, __file__, record)
    trials = Trials(checkpoint)

    def run_trial(scale, rate):
        if (scale, rate) not in trials.done:
            trial = minimum_trial(
                points[scale],
                subset,
                seeds,
                adam,
                rate,
                schedule,
                scale,
                start=trials.start_of(scale, rate),
                visit=partial(trials.visit, scale, rate),
            )
            trials.done[scale, rate] = trial
        trial = trials.done[scale, rate]
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
            "provenance": record,
        },
    )
    jobs.finish(checkpoint)


class Trials:
    """Those made so far, by (scale, rate), and where a killed job stood in the one after them."""

    def __init__(self, checkpoint):
        self.done = {}
        self._checkpoint = checkpoint
        self._saved = checkpoint.saved if checkpoint else None
        if self._saved:
            for trial in self._saved.position["trials"]:
                epochs = tuple(trial["epochs"])
                self.done[trial["scale"], trial["rate"]] = Trial(**{**trial, "epochs": epochs})

    def start_of(self, scale, rate):
        """What `training.train` goes on from, None where it starts anew."""
        if self._saved is None or [scale, rate] != self._saved.position["trial"]:
            return None
        return self._saved.position["epoch"], self._saved.arrays

    def visit(self, scale, rate, epoch, members):
        if self._checkpoint and self._checkpoint.due():
            trials = [asdict(trial) for trial in self.done.values()]
            position = {"trials": trials, "trial": [scale, rate], "epoch": epoch}
            self._checkpoint.save(position, state_of(members))


if __name__ == "__main__":
    main()
