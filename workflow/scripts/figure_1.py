"""Draw figure 1: the NTK's dynamics against the train loss."""

import argparse
import json

from ntklens.figures.dynamics import collect, draw
from ntklens.figures.style import save_figure


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", required=True, type=json.loads, help="study -> its dataset")
    parser.add_argument("--ensembles", required=True, nargs="+", help="a file a study")
    parser.add_argument("--adaptation-rates", required=True, nargs="+", help="a file a study")
    parser.add_argument("--out", required=True, help="the PDF; PNG and JSON go beside it")
    args = parser.parse_args(argv)
    files = zip(args.settings.items(), args.ensembles, args.adaptation_rates, strict=True)
    content = collect({study: (dataset, ensembles, rates) for (study, dataset), ensembles, rates in files})
    save_figure(draw(content), content, args.out, [*args.ensembles, *args.adaptation_rates], args.settings)


if __name__ == "__main__":
    main()
