"""Find the transition width: the bends of the trace ratio and of the effective rank."""

import argparse
from collections.abc import Sequence

from ntklens.analysis.summary import fit_bend
from ntklens.storage.files import read_json, write_json
from ntklens.storage.run_code import run_code_of


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--power-laws", required=True, help="the file that power_laws.py wrote")
    parser.add_argument("--out", required=True, help="the JSON file to write")
    args = parser.parse_args(argv)
    summary = read_json(args.power_laws)
    bends = {name: fit_bend(summary[name]) for name in ("trace_ratio", "effective_rank")}
    write_json(args.out, {**bends, "provenance": {"run_code": run_code_of([args.power_laws])}})


if __name__ == "__main__":
    main()
