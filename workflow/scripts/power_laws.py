"""Fit laws to the key quantities along one curve, with intervals."""

import argparse
from collections.abc import Sequence

from ntklens.analysis.curve_laws import laws_of
from ntklens.analysis.resampling import generator_of
from ntklens.analysis.series import key_series
from ntklens.analysis.settings import AnalysisSettings
from ntklens.analysis.transition import expected, read_infinite_width
from ntklens.storage.averages import read_averages
from ntklens.storage.files import write_json
from ntklens.storage.run_code import run_code_of
from ntklens.storage.settings import as_plain, reader_of


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--averages", required=True, help="the file that aggregate.py wrote")
    parser.add_argument("--infinite-width", help="the file that infinite_width.py wrote, if there is one")
    parser.add_argument("--settings", required=True, type=reader_of(AnalysisSettings))
    parser.add_argument("--out", required=True, help="the JSON file to write")
    args = parser.parse_args(argv)
    generator = generator_of(args.settings.curve)
    series = key_series(read_averages(args.averages), args.settings)
    infinite = read_infinite_width(args.infinite_width) if args.infinite_width else None
    laws = {name: laws_of(name, own, generator) for name, own in series.items()}
    content = {
        **laws,
        "drawn": {"trace_ratio": "ratio of means", "mean_trace_ratio": "mean of ratios, not drawn"},
        "expectation": expected(infinite.initial_trace, series["initial_trace"]) if infinite else None,
        "settings": as_plain(args.settings),
        "provenance": {"run_code": run_code_of([args.averages])},
    }
    write_json(args.out, content)


if __name__ == "__main__":
    main()
