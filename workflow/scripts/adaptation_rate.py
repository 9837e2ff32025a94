"""Compute the adaptation rate along training at every point of one curve, with its intervals."""

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from ntklens.analysis.adaptation_rate import adaptation_rate, resampled_rates
from ntklens.analysis.intervals import ends, interval, numbers
from ntklens.analysis.resampling import factor_of_mean, widened
from ntklens.analysis.series import Series, key_series, member_slopes, weights_of
from ntklens.analysis.settings import AnalysisSettings
from ntklens.machine.rule_script import run_script
from ntklens.storage.averages import Average, read_averages
from ntklens.storage.provenance import provenance
from ntklens.storage.records import write_record
from ntklens.storage.run_code import run_code_of
from ntklens.storage.settings_reader import reader_of


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--averages", required=True, help="the file that aggregate.py wrote")
    parser.add_argument("--settings", required=True, type=reader_of(AnalysisSettings))
    parser.add_argument("--out", required=True, help="the JSON file to write")
    args = parser.parse_args(argv)
    settings: AnalysisSettings = args.settings
    averages = read_averages(args.averages, settings.averages)
    weights = weights_of(averages, settings)
    at_minimum = key_series(averages, settings)["adaptation_rate"]
    points = [
        point_of(average, own, at_minimum, row, settings.smoothing_epochs)
        for row, (average, own) in enumerate(zip(averages, weights, strict=True))
    ]
    origin = provenance("adaptation rate", settings, [args.averages], ["numpy", "scipy"])
    write_record(args.out, {"points": points}, {**origin, "run_code": run_code_of([args.averages])})


def point_of(
    average: Average,
    weights: Float[np.ndarray, "resamples members"],
    at_minimum: Series,
    row: int,
    smoothing_epochs: int,
) -> dict[str, Any]:
    """χ along training at one point, the ``row`` of the series of −χ ``at_minimum``, where it is defined."""
    epoch = average.along["ntk_trace"].epoch
    losses = average.at_epochs("log_train_loss", epoch)
    rate = adaptation_rate(epoch, average.along["ntk_trace"].mean, losses, smoothing_epochs)
    members = member_slopes(average, smoothing_epochs)
    low = high = np.full(len(rate.rate), np.nan)
    if len(weights):
        factors = np.full(len(rate.rate), factor_of_mean(len(average.seeds)))
        low, high = map(np.asarray, ends(widened(resampled_rates(members, weights), rate.rate, factors)))
    defined = np.isfinite(rate.rate)
    return {
        "scale": average.scale,
        "epoch": rate.epoch[defined].tolist(),
        "train_loss": np.exp(rate.log_train_loss[defined]).tolist(),
        "adaptation_rate": rate.rate[defined].tolist(),
        "low": numbers(low[defined]),
        "high": numbers(high[defined]),
        "at_minimum": interval(-at_minimum.value[row], -at_minimum.resampled[:, row]),
    }


if __name__ == "__main__":
    run_script(main)
