"""Fit power laws to the key quantities along one curve."""

import argparse
from collections.abc import Sequence

from ntklens.analysis.summary import fit_summary, summarise
from ntklens.storage.averages import read_averages
from ntklens.storage.files import read_json, write_json
from ntklens.storage.run_code import run_code_of


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--averages", required=True, help="the file that aggregate.py wrote")
    parser.add_argument("--adaptation-rate", required=True, help="the file that adaptation_rate.py wrote")
    parser.add_argument("--out", required=True, help="the JSON file to write")
    args = parser.parse_args(argv)
    rates = [point["at_minimum"] for point in read_json(args.adaptation_rate)["points"]]
    summary = summarise(read_averages(args.averages), rates)
    laws = {name: fit_summary(series) for name, series in summary.items()}
    write_json(args.out, {**laws, "provenance": {"run_code": run_code_of([args.averages])}})


if __name__ == "__main__":
    main()
