"""Find where the trace ratio and the effective rank bend along width, as laws and as the eye would."""

import argparse
from collections.abc import Sequence

from ntklens.analysis.curve_laws import BENT_FORMS, laws_of
from ntklens.analysis.resampling import generator_of
from ntklens.analysis.series import key_series
from ntklens.analysis.settings import AnalysisSettings
from ntklens.analysis.transition import (
    expected,
    eye_reading,
    log_ratio_of_bends,
    predicted,
    read_infinite_width,
)
from ntklens.machine.rule_script import run_script
from ntklens.storage.averages import read_averages
from ntklens.storage.provenance import provenance
from ntklens.storage.records import write_record
from ntklens.storage.run_code import run_code_of
from ntklens.storage.settings_reader import reader_of


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--averages", required=True, help="the file that aggregate.py wrote")
    parser.add_argument("--infinite-width", help="the file that infinite_width.py wrote, if there is one")
    parser.add_argument("--settings", required=True, type=reader_of(AnalysisSettings))
    parser.add_argument("--out", required=True, help="the JSON file to write")
    args = parser.parse_args(argv)
    fit(args.averages, args.infinite_width, args.settings, args.out)


def fit(averages: str, infinite_width: str | None, settings: AnalysisSettings, out: str) -> None:
    """Write where ``averages`` bend to ``out``, with closed forms if ``infinite_width`` has them."""
    generator = generator_of(settings.curve)
    series = key_series(read_averages(averages, settings.averages), settings)
    ratio, rank, gain = (series[name] for name in ("trace_ratio", "effective_rank", "trace_gain"))
    infinite = read_infinite_width(infinite_width, settings.infinite_width) if infinite_width else None
    content = {
        "drawn": {"trace_ratio": "ratio of means", "mean_trace_ratio": "mean of ratios, not drawn"},
        **{
            name: laws_of(name, series[name], generator, BENT_FORMS[name])
            for name in ("trace_ratio", "mean_trace_ratio", "effective_rank")
        },
        "by_eye": {
            "trace_ratio": eye_reading(ratio, "wide"),
            "effective_rank": eye_reading(rank, "narrow"),
        },
        "log_ratio_of_bends": log_ratio_of_bends(ratio, rank),
        "expectation": expected(infinite.initial_trace, ratio) if infinite else None,
        "prediction": predicted(infinite.initial_trace, ratio, gain) if infinite else None,
        "infinite_effective_rank": infinite.effective_rank if infinite else None,
    }
    inputs = [averages, *([infinite_width] if infinite_width else [])]
    origin = provenance("transition", settings, inputs, ["numpy", "scipy"])
    write_record(out, content, {**origin, "run_code": run_code_of([averages])})


if __name__ == "__main__":
    run_script(main)
