"""Draw one figure, and save the numbers that it shows."""

import argparse
import importlib
from collections.abc import Sequence

from ntklens.figures.measured import measured_curves
from ntklens.figures.saving import save_figure
from ntklens.figures.settings import FigureSettings
from ntklens.machine.rule_script import run_script
from ntklens.storage.settings_reader import reader_of


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--settings",
        required=True,
        type=reader_of(FigureSettings),
        help="of the figure, from ntklens.figures.catalogue",
    )
    parser.add_argument(
        "--files", required=True, nargs="+", help="one for each curve and each of the figure's needs"
    )
    parser.add_argument("--out", required=True, help="the PDF; PNG and JSON go beside it")
    args = parser.parse_args(argv)
    settings: FigureSettings = args.settings
    # By name, so that the rule of a figure depends on the code of its own kind and not on that of the others.
    kind = importlib.import_module(f"ntklens.figures.{settings.kind}")
    content = kind.collect(settings.figure, settings.shows, measured_curves(settings, args.files))
    save_figure(kind.draw(content), content, args.out, args.files, settings)


if __name__ == "__main__":
    run_script(main)
