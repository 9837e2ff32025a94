"""Compute the adaptation rate along training at every point of one curve."""

import argparse
import json
from collections.abc import Sequence

import numpy as np
from ntklens.analysis.adaptation_rate import adaptation_rate
from ntklens.storage.averages import read_averages
from ntklens.storage.files import write_json
from ntklens.storage.run_code import run_code_of


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--averages", required=True, help="the file that aggregate.py wrote")
    parser.add_argument("--settings", required=True, type=json.loads, help='as JSON: {"smoothing_epochs": …}')
    parser.add_argument("--out", required=True, help="the JSON file to write")
    args = parser.parse_args(argv)
    points = []
    for average in read_averages(args.averages):
        trace = average.along["ntk_trace"]
        rate = adaptation_rate(
            trace.epoch,
            trace.mean,
            average.at_epochs("log_train_loss", trace.epoch),
            args.settings["smoothing_epochs"],
        )
        defined = np.isfinite(rate.rate)
        points.append(
            {
                "scale": average.scale,
                "epoch": rate.epoch[defined].tolist(),
                "train_loss": np.exp(rate.log_train_loss[defined]).tolist(),
                "adaptation_rate": rate.rate[defined].tolist(),
                "at_minimum": rate.at(average.minimum_epoch),
            }
        )
    origin = {"run_code": run_code_of([args.averages])}
    write_json(args.out, {"settings": args.settings, "points": points, "provenance": origin})


if __name__ == "__main__":
    main()
