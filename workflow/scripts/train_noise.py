"""Train one batch of seeds at one level of removal, measuring the NTK; write the run file."""

import argparse
import json
import sys
import time

from ntklens.data.subsets import read_subset
from ntklens.machine import jobs
from ntklens.networks.modules import build_network
from ntklens.storage.noise_run_files import write_noise_run
from ntklens.storage.provenance import provenance
from ntklens.studies.noise_measurement import measure_seeds, noisy_training_set
from ntklens.training.mini_batch import Sgd
from ntklens.training.schedules import NoiseSchedule

PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy", "scipy", "h5py")


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subset", required=True, help="file written by subsample")
    parser.add_argument("--settings", required=True, type=json.loads)
    parser.add_argument("--seeds", required=True, type=int, nargs=2, metavar=("FIRST", "LAST"))
    parser.add_argument("--out", required=True)
    jobs.add_arguments(parser)
    args = parser.parse_args(argv)
    jobs.start(args, "train_noise", args.settings["network"])
    settings, subset = args.settings, read_subset(args.subset)
    seeds = list(range(args.seeds[0], args.seeds[1] + 1))
    schedule = schedule_of(settings)
    try:
        train_set = training_set_of(settings, subset)
    except ValueError as error:
        sys.exit(f"train_noise {args.out}: {error}")
    record = {
        **provenance(settings, [args.subset], PACKAGES),
        "seeds": seeds,
        "ntk_rows": schedule.ntk_samples * subset.classes,
        "dtype": "float32",
    }
    checkpoint = jobs.open_checkpoint(args, __file__, record)
    trajectories = measure_seeds(
        build_network(settings["network"], image_shape=subset.image_shape, outputs=subset.classes),
        Sgd(**settings["sgd"]),
        train_set,
        subset,
        schedule,
        seeds,
        workers=args.threads,
        memory=jobs.ntk_memory(args),
        checkpoint=checkpoint,
        report=Progress(),
    )
    for trajectory in trajectories:
        print(f"seed {trajectory.seed}: {trajectory.status}, {last_values(trajectory)}", file=sys.stderr)
    write_noise_run(args.out, trajectories, {**record, **jobs.device_attributes(checkpoint)})
    jobs.finish(checkpoint)


def schedule_of(settings):
    return NoiseSchedule(
        epochs=settings["epochs"],
        evaluate_every=settings["evaluate_every"],
        spectrum_epochs=tuple(settings["spectrum_epochs"]),
        ntk_samples=settings["ntk_samples"],
        ntk_draws=settings["ntk_draws"],
    )


def training_set_of(settings, subset):
    return noisy_training_set(
        subset,
        settings["train_samples"],
        settings["draw_seed"],
        settings["removed_percent"],
        settings["sigma"],
    )


def last_values(trajectory):
    values = {name: curve[-1] for name, curve in trajectory.curves.items()}
    return f"epoch {trajectory.epoch[-1]}: {described(values)}"


def described(values):
    return (
        f"train loss {values['train_loss']:.4f}, test loss {values['test_loss']:.4f}, "
        f"accuracies {values['train_accuracy']:.3f} and {values['test_accuracy']:.3f}"
    )


class Progress:
    """A line on stderr every few seconds: seed, epoch, losses and accuracies."""

    INTERVAL = 2.0  # seconds

    def __init__(self):
        self.started = self.last = time.monotonic()

    def __call__(self, seed, epoch, values):
        now = time.monotonic()
        if epoch == 0 or now - self.last < self.INTERVAL:
            return
        self.last = now
        print(
            f"[{now - self.started:6.1f} s] seed {seed}, epoch {epoch}: {described(values)}",
            file=sys.stderr,
            flush=True,
        )


if __name__ == "__main__":
    main()
