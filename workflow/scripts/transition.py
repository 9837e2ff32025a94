"""Find the transition width: the bends of the trace ratio and of the effective rank."""

import argparse

from ntklens.analysis.summary import fit_bend
from ntklens.storage.files import read_json, write_json


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--power-laws", required=True, help="file written by power_laws")
    parser.add_argument("--out", required=True)
    args = parser.parse_args(argv)
    summary = read_json(args.power_laws)
    write_json(args.out, {name: fit_bend(summary[name]) for name in ("trace_ratio", "effective_rank")})


if __name__ == "__main__":
    main()
