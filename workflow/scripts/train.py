"""Train one batch of seeds at one point of a study, measuring the NTK; write the run file."""

import argparse
import sys
from collections.abc import Sequence

from ntklens.data.errors import UnsuitableDataError
from ntklens.data.subsets import read_subset
from ntklens.machine import job_start
from ntklens.machine.progress import Progress, described
from ntklens.machine.rule_script import run_script
from ntklens.storage.provenance import code_record, provenance
from ntklens.storage.run_files import Trajectory
from ntklens.storage.run_writer import write_run
from ntklens.storage.settings_reader import reader_of
from ntklens.studies.experiments import Experiment
from ntklens.studies.jobs import TrainingSettings
from ntklens.studies.recipes import modules_of
from ntklens.studies.recorder import record
from ntklens.training.learning_rates import read_rate


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subset", required=True, help="file written by subsample")
    parser.add_argument("--learning-rates", help="file written by calibrate")
    parser.add_argument("--settings", required=True, type=reader_of(TrainingSettings))
    parser.add_argument("--seeds", required=True, type=int, nargs=2, metavar=("FIRST", "LAST"))
    parser.add_argument("--out", required=True)
    job_start.add_arguments(parser)
    args = parser.parse_args(argv)
    if not 0 <= args.seeds[0] <= args.seeds[1]:
        parser.error(f"--seeds {args.seeds[0]} {args.seeds[1]}: FIRST must not be after LAST")
    if args.settings.recipe.learning_rate is None and args.learning_rates is None:
        parser.error("the settings give no learning rate: --learning-rates is needed")
    train(args)


def train(args: argparse.Namespace) -> None:
    """Train the seeds of ``args`` and write their run file."""
    settings: TrainingSettings = args.settings
    recipe = settings.recipe
    modules = modules_of(recipe, (settings.network, settings.data))
    job_start.start(args, "train", *modules, settings.network)
    subset, seeds = read_subset(args.subset, settings.subset), list(range(args.seeds[0], args.seeds[1] + 1))
    learning_rate, inputs = recipe.learning_rate, [args.subset]
    if learning_rate is None:
        rate = read_rate(args.learning_rates, settings.scale, settings.learning_rates)
        learning_rate = recipe.rate_factor * rate
        inputs.append(args.learning_rates)
    code = code_record(__file__, *modules)
    origin = {
        **provenance("run", settings, inputs, job_start.PACKAGES),
        **code,
        "seeds": seeds,
        "learning_rate": learning_rate,
        "ntk_rows": settings.measurement.ntk_samples * subset.classes,
        "dtype": "float32",
    }
    checkpoint = job_start.open_checkpoint(args, origin, code["code_sha256"])
    try:
        trajectories = record(
            Experiment(settings.network, settings.data, recipe, subset),
            settings.measurement,
            seeds,
            learning_rate,
            workers=args.threads,
            memory=job_start.ntk_memory(args),
            checkpoint=checkpoint,
            report=Progress(),
        )
    except UnsuitableDataError as error:
        sys.exit(f"train {args.out}: {error}")
    for trajectory in trajectories:
        print(f"seed {trajectory.seed}: {trajectory.status}, {outcome(trajectory)}", file=sys.stderr)
    write_run(args.out, trajectories, {**origin, **job_start.device_attributes(checkpoint)})
    job_start.finish(checkpoint)


def outcome(trajectory: Trajectory) -> str:
    """A seed's least test loss, or its losses and accuracies at the end, in words."""
    if trajectory.minimum is not None:
        return f"least test loss {trajectory.minimum.test_loss:.4f} at epoch {trajectory.minimum.epoch}"
    values = {name: curve[-1] for name, curve in trajectory.curves.items()}
    return f"epoch {trajectory.epoch[-1]}: {described(values)}"


if __name__ == "__main__":
    run_script(main, minutes=None)
