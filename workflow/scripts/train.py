"""Train one batch of seeds at one point, measuring the NTK; write the run file."""

import argparse
import json
import sys
import time

import numpy as np
from ntklens.data.subsets import read_subset
from ntklens.machine import jobs
from ntklens.storage.provenance import provenance
from ntklens.storage.run_files import write_run
from ntklens.studies.experiment import Point
from ntklens.studies.measurement import measure_batch
from ntklens.training.calibration import read_rate
from ntklens.training.full_batch import Adam
from ntklens.training.schedules import Schedule

PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy", "scipy", "h5py")


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subset", required=True, help="file written by subsample")
    parser.add_argument("--learning-rates", help="file written by calibrate")
    parser.add_argument("--settings", required=True, type=json.loads)
    parser.add_argument("--seeds", required=True, type=int, nargs=2, metavar=("FIRST", "LAST"))
    parser.add_argument("--out", required=True)
    jobs.add_arguments(parser)
    args = parser.parse_args(argv)
    jobs.start(args, "train", args.settings["point"]["network"])
    settings, subset = args.settings, read_subset(args.subset)
    seeds = list(range(args.seeds[0], args.seeds[1] + 1))
    learning_rate, inputs = settings["learning_rate"], [args.subset]
    if learning_rate is None:
        learning_rate = read_rate(args.learning_rates, settings["scale"])
        inputs.append(args.learning_rates)
    record = {
        **provenance(settings, inputs, PACKAGES),
        "seeds": seeds,
        "learning_rate": learning_rate,
        "ntk_rows": len(subset.ntk_images) * subset.classes,
        "dtype": "float32",
    }
    checkpoint = jobs.open_checkpoint(args, __file__, record)

    trajectories = measure_batch(
        Point(**settings["point"]),
        subset,
        seeds,
        Adam(**settings["optimizer"]),
        learning_rate,
        Schedule(**{**settings["schedule"], "snapshots": tuple(settings["schedule"]["snapshots"])}),
        settings["save_parameters"],
        workers=args.threads,
        memory=jobs.ntk_memory(args),
        checkpoint=checkpoint,
        report=Progress(),
    )
    for trajectory in trajectories:
        print(
            f"seed {trajectory.seed}: {trajectory.status}, least test loss "
            f"{trajectory.minimum.test_loss:.4f} at epoch {trajectory.minimum.epoch}",
            file=sys.stderr,
        )
    write_run(args.out, trajectories, {**record, **jobs.device_attributes(checkpoint)})
    jobs.finish(checkpoint)


class Progress:
    """A line on stderr every few seconds: epoch, losses, seeds finished."""

    INTERVAL = 2.0  # seconds

    def __init__(self):
        self.started = self.last = time.monotonic()

    def __call__(self, epoch, members):
        now = time.monotonic()
        if epoch == 0 or now - self.last < self.INTERVAL:
            return
        self.last = now
        stop_epoch = np.asarray(members.stop_epoch)
        losses = {
            name: float(np.mean(np.asarray(members.curves[name])[:, epoch - 1]))
            for name in ("train_loss", "test_loss")
        }
        print(
            f"[{now - self.started:6.1f} s] epoch {epoch}: train loss {losses['train_loss']:.4f}, "
            f"test loss {losses['test_loss']:.4f}, "
            f"{np.sum(stop_epoch >= 0)} of {len(stop_epoch)} seeds finished",
            file=sys.stderr,
            flush=True,
        )


if __name__ == "__main__":
    main()
