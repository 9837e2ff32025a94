"""Find the learning rate along one curve: trials of a few seeds, without the NTK."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial

from ntklens.data.errors import UnsuitableDataError
from ntklens.data.subsets import read_subset
from ntklens.machine import job_start
from ntklens.machine.rule_script import run_script
from ntklens.storage.checkpoints import Checkpoint
from ntklens.storage.provenance import code_record, provenance
from ntklens.storage.records import write_record
from ntklens.storage.settings_reader import reader_of
from ntklens.studies.experiments import Experiment
from ntklens.studies.jobs import CalibrationSettings
from ntklens.studies.recipes import modules_of
from ntklens.studies.trials import minimum_trial
from ntklens.training.calibration import CalibrationError, calibrate
from ntklens.training.members import State
from ntklens.training.rate_diagnosis import tried
from ntklens.training.rate_trials import Goal, Trial


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subset", required=True, help="file written by subsample")
    parser.add_argument("--settings", required=True, type=reader_of(CalibrationSettings))
    parser.add_argument("--out", required=True)
    job_start.add_arguments(parser)
    args = parser.parse_args(argv)
    find_rates(args)


def find_rates(args: argparse.Namespace) -> None:
    """Calibrate the learning rates of one curve and write them to a file."""
    settings: CalibrationSettings = args.settings
    recipe = settings.recipe
    modules = modules_of(recipe, *((point.network, point.data) for point in settings.points))
    job_start.start(args, "calibrate", *modules, settings.points[0].network)
    subset, seeds = read_subset(args.subset, settings.subset), range(settings.seeds)
    points = {point.scale: Experiment(point.network, point.data, recipe, subset) for point in settings.points}
    code = code_record(__file__, *modules)
    origin = {**provenance("learning rates", settings, [args.subset], job_start.PACKAGES), **code}
    checkpoint = job_start.open_checkpoint(args, origin, code["code_sha256"])
    trials = Trials(checkpoint)

    def run_trial(scale: int, rate: float) -> Trial:
        if (scale, rate) not in trials.done:
            trials.done[scale, rate] = minimum_trial(
                points[scale],
                seeds,
                rate,
                scale,
                start=trials.start_of(scale, rate),
                visit=partial(trials.visit, scale, rate),
            )
        trial = trials.done[scale, rate]
        print(f"scale {scale}, rate → minima: {tried([trial])}", file=sys.stderr)
        return trial

    try:
        calibration = calibrate(
            run_trial,
            list(points),
            Goal(*settings.window, settings.tolerance, settings.share_inside),
            settings.max_trials,
            settings.first_rate,
        )
    except (CalibrationError, UnsuitableDataError) as error:
        sys.exit(f"calibrate {args.out}: {error}")
    rates = {str(scale): calibration.at(scale) for scale in points}
    write_record(args.out, {**asdict(calibration), "rates": rates}, origin)
    job_start.finish(checkpoint)


class Trials:
    """The trials made so far, by (scale, rate), and the checkpoint of the trial that was interrupted."""

    def __init__(self, checkpoint: Checkpoint | None) -> None:
        self.done: dict[tuple[int, float], Trial] = {}
        self._checkpoint = checkpoint
        self._saved = checkpoint.saved if checkpoint else None
        if self._saved:
            for trial in self._saved.position["trials"]:
                epochs, censored = tuple(trial["epochs"]), tuple(trial["censored"])
                self.done[trial["scale"], trial["rate"]] = Trial(
                    trial["scale"], trial["rate"], epochs, censored
                )

    def start_of(self, scale: int, rate: float) -> tuple[int, State] | None:
        """The epoch and state from which training resumes; None where it starts anew."""
        if self._saved is None or [scale, rate] != self._saved.position["trial"]:
            return None
        return self._saved.position["epoch"], self._saved.arrays

    def visit(self, scale: int, rate: float, epoch: int, state: Callable[[], State]) -> None:
        """Save a checkpoint if one is due. ``state()`` is that of the members at ``epoch``."""
        if self._checkpoint and self._checkpoint.due():
            trials = [asdict(trial) for trial in self.done.values()]
            position = {"trials": trials, "trial": [scale, rate], "epoch": epoch}
            self._checkpoint.save(position, state())


if __name__ == "__main__":
    run_script(main, minutes=None)
