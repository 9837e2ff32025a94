"""Split one dataset into the pool for training sets and the test samples."""

import argparse
import json
import sys

from ntklens.data.subsets import write_subset


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="file written by fetch")
    parser.add_argument("--settings", required=True, type=json.loads)
    parser.add_argument("--out", required=True)
    args = parser.parse_args(argv)
    try:
        write_subset(args.out, args.dataset, **args.settings)
    except ValueError as error:
        sys.exit(f"subsample {args.dataset}: {error}")


if __name__ == "__main__":
    main()
