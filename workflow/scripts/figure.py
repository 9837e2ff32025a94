"""Draw one figure, and save the numbers that it shows."""

import argparse
import importlib
import json

from ntklens.figures.measured import measured_curves
from ntklens.figures.style import save_figure


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--settings", required=True, type=json.loads, help="of the figure, by ntklens.figures.catalogue"
    )
    parser.add_argument(
        "--files", required=True, nargs="+", help="for each curve, one for each of the figure's needs"
    )
    parser.add_argument("--out", required=True, help="the PDF; PNG and JSON go beside it")
    args = parser.parse_args(argv)
    settings = args.settings
    # By name, so that the rule of a figure depends on its own kind alone, and not on those of the others.
    kind = importlib.import_module(f"ntklens.figures.{settings['kind']}")
    content = kind.collect(settings["figure"], settings["shows"], measured_curves(settings, args.files))
    save_figure(kind.draw(content), content, args.out, args.files, settings)


if __name__ == "__main__":
    main()
