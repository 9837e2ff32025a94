"""Compare both ends of training along one curve: layers, ranks, distances, and the loss's gradient."""

import argparse
from collections.abc import Sequence

from ntklens.analysis.ends import ends_of
from ntklens.analysis.settings import AnalysisSettings
from ntklens.machine.rule_script import run_script
from ntklens.storage.averages import read_averages
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
    content = ends_of(read_averages(args.averages, settings.averages), settings)
    origin = provenance("ends", settings, [args.averages], ["numpy", "scipy"])
    write_record(args.out, content, {**origin, "run_code": run_code_of([args.averages])})


if __name__ == "__main__":
    run_script(main)
