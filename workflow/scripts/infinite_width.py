"""Compute what the closed forms say of one curve of widths, on the samples that its NTK is measured on."""

import argparse
from collections.abc import Sequence

import numpy as np
from ntklens.analysis.initial_trace import InitialTrace
from ntklens.analysis.settings import InfiniteWidthSettings
from ntklens.data.subsets import read_subset
from ntklens.data.training_sets import sized
from ntklens.kernel.infinite_width import effective_rank
from ntklens.machine.rule_script import run_script
from ntklens.storage.provenance import provenance
from ntklens.storage.records import write_record
from ntklens.storage.settings import as_plain
from ntklens.storage.settings_reader import reader_of


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subset", required=True, help="the file that subsample.py wrote")
    parser.add_argument("--settings", required=True, type=reader_of(InfiniteWidthSettings))
    parser.add_argument("--out", required=True, help="the JSON file to write")
    args = parser.parse_args(argv)
    compute(args.subset, args.settings, args.out)


def compute(subset_path: str, settings: InfiniteWidthSettings, out: str) -> None:
    """Write the closed forms on the NTK samples of ``subset_path`` to ``out``."""
    subset = sized(read_subset(subset_path, settings.subset), settings.image_size)
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
    }
    write_record(out, content, provenance("infinite width", settings, [subset_path], ["numpy", "scipy"]))


if __name__ == "__main__":
    run_script(main)
