"""Draw figure 2: how the key quantities scale with model and data."""

import argparse
import json

from ntklens.figures.scaling_laws import collect, draw
from ntklens.figures.style import save_figure


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--settings", required=True, type=json.loads, help="list of [study, dataset], a file each"
    )
    parser.add_argument("--power-laws", required=True, nargs="+")
    parser.add_argument("--out", required=True, help="the PDF; PNG and JSON go beside it")
    args = parser.parse_args(argv)
    curves = {}
    for (study, dataset), path in zip(args.settings, args.power_laws, strict=True):
        curves.setdefault(study, {})[dataset] = path
    content = collect(curves)
    save_figure(draw(content), content, args.out, args.power_laws, args.settings)


if __name__ == "__main__":
    main()
