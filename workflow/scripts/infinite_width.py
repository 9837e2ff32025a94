"""Compute what the closed forms say of one curve of widths, on the samples that its NTK is measured on."""

import argparse
from collections.abc import Sequence

import numpy as np
from ntklens.analysis.initial_trace import InitialTrace
from ntklens.analysis.settings import InfiniteWidthSettings
from ntklens.data.subsets import read_subset
from ntklens.data.training_sets import sized
from ntklens.kernel.infinite_width import effective_rank
from ntklens.storage.files import write_json
from ntklens.storage.provenance import provenance
from ntklens.storage.settings import as_plain, reader_of


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subset", required=True, help="the file that subsample.py wrote")
    parser.add_argument("--settings", required=True, type=reader_of(InfiniteWidthSettings))
    parser.add_argument("--out", required=True, help="the JSON file to write")
    args = parser.parse_args(argv)
    settings: InfiniteWidthSettings = args.settings
    subset = sized(read_subset(args.subset), settings.image_size)
    samples = subset.test_images[: settings.ntk_samples].astype(np.float64)
    trace = InitialTrace(
        inputs=samples.shape[1],
        hidden_layers=settings.hidden_layers,
        rows=len(samples) * subset.classes,
        mean_square_norm=float(np.mean(np.sum(samples**2, axis=1))),
    )
    content = {
        **as_plain(trace),
        "bend": trace.bend,
        "effective_rank": effective_rank(samples, settings.hidden_layers, subset.classes),
        "provenance": provenance(as_plain(settings), [args.subset], ["numpy", "scipy"]),
    }
    write_json(args.out, content)


if __name__ == "__main__":
    main()
