"""Compute the adaptation rate along training at every point of one curve."""

import argparse
import json

import numpy as np
from ntklens.analysis.adaptation_rate import adaptation_rate
from ntklens.analysis.ensemble import read_ensembles
from ntklens.storage.files import write_json


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ensembles", required=True, help="file written by aggregate")
    parser.add_argument("--settings", required=True, type=json.loads)
    parser.add_argument("--out", required=True)
    args = parser.parse_args(argv)
    points = []
    for ensemble in read_ensembles(args.ensembles):
        rate = adaptation_rate(
            ensemble.trace_epoch,
            ensemble.ntk_trace,
            ensemble.log_train_loss[ensemble.trace_epoch],
            args.settings["smoothing_epochs"],
        )
        defined = np.isfinite(rate.rate)
        points.append(
            {
                "scale": ensemble.scale,
                "epoch": rate.epoch[defined].tolist(),
                "train_loss": np.exp(rate.log_train_loss[defined]).tolist(),
                "adaptation_rate": rate.rate[defined].tolist(),
                "at_minimum": rate.at(ensemble.mean_minimum_epoch),
            }
        )
    write_json(args.out, {"settings": args.settings, "points": points})


if __name__ == "__main__":
    main()
