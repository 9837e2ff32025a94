"""Fit laws to the key quantities along one curve, with intervals."""

import argparse
from collections.abc import Sequence

from ntklens.analysis.curve_laws import laws_of
from ntklens.analysis.resampling import generator_of
from ntklens.analysis.series import key_series
from ntklens.analysis.settings import AnalysisSettings
from ntklens.analysis.transition import expected, read_infinite_width
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
    """Write the laws of the ``averages`` to ``out``, with closed forms if ``infinite_width`` has them."""
    generator = generator_of(settings.curve)
    series = key_series(read_averages(averages, settings.averages), settings)
    infinite = read_infinite_width(infinite_width, settings.infinite_width) if infinite_width else None
    laws = {name: laws_of(name, own, generator) for name, own in series.items()}
    content = {
        **laws,
        "drawn": {"trace_ratio": "ratio of means", "mean_trace_ratio": "mean of ratios, not drawn"},
        "expectation": expected(infinite.initial_trace, series["initial_trace"]) if infinite else None,
    }
    inputs = [averages, *([infinite_width] if infinite_width else [])]
    origin = provenance("power laws", settings, inputs, ["numpy", "scipy"])
    write_record(out, content, {**origin, "run_code": run_code_of([averages])})


if __name__ == "__main__":
    run_script(main)
