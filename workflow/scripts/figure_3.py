"""Draw figure 3: the transition from feature-driven to kernel-driven scaling."""

import argparse
import json

from ntklens.figures.style import save_figure
from ntklens.figures.transition import collect, draw


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--settings", required=True, type=json.loads, help="list of [dataset, network], a file each"
    )
    parser.add_argument("--transitions", required=True, nargs="+")
    parser.add_argument("--out", required=True, help="the PDF; PNG and JSON go beside it")
    args = parser.parse_args(argv)
    curves = map(tuple, args.settings)
    content = collect(dict(zip(curves, args.transitions, strict=True)))
    save_figure(draw(content), content, args.out, args.transitions, args.settings)


if __name__ == "__main__":
    main()
