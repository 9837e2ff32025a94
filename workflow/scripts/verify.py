"""Compare our NTK, and the quantities in run files that were computed from it, with neural-tangents."""

import argparse
import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import jax
import numpy as np
from flax import linen as nn
from jaxtyping import Float
from ntklens.data.subsets import Subset, read_subset
from ntklens.data.training_sets import sized
from ntklens.kernel.ntk import ntk_matrix, ntk_trace
from ntklens.machine.compilation_cache import use_compilation_cache
from ntklens.machine.rule_script import run_script
from ntklens.machine.threads import use_threads
from ntklens.networks.modules import build_network
from ntklens.spectrum.effective_rank import effective_rank
from ntklens.spectrum.eigenvalues import eigenvalues, normalised
from ntklens.storage.files import FilePath, whole_file
from ntklens.storage.hdf5 import get_group, read_array
from ntklens.storage.provenance import provenance
from ntklens.storage.records import opened, origin_of, write_record
from ntklens.storage.run_files import Minimum, read_run_file
from ntklens.storage.settings import as_json, settings_sha256
from ntklens.storage.settings_reader import reader_of
from ntklens.studies.jobs import TrainingSettings

Row = dict[str, Any]  # of the table: where a network is from, and its differences

# Ours is in single precision, theirs in double: rounding gives differences of 1e-6, a wrong term 1e-2 or more
TOLERANCE = 1e-4


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", required=True, nargs="*", help="files written by train")
    parser.add_argument(
        "--kernels", required=True, nargs="*", help="their NTKs, files written by neural_tangents_kernels"
    )
    parser.add_argument(
        "--subsets", required=True, nargs="*", help="files written by subsample, named by dataset"
    )
    parser.add_argument(
        "--made-with", nargs="*", help="digests of the settings that the runs must have; default: any"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", required=True, help="CSV file to write, with a JSON file beside it")
    args = parser.parse_args(argv)
    use_threads(args.threads)
    use_compilation_cache()
    verify(args)


def verify(args: argparse.Namespace) -> None:
    """Write the table of differences. Exits if one of them is too large."""
    if not args.runs:
        sys.exit(
            f"verify {args.out}: the config has no curve to verify, of a dense network on images that are "
            "not resized, whose training stops once the test loss has passed its minimum"
        )
    subsets = {Path(path).stem: path for path in args.subsets}
    rows: list[Row] = []
    digests = args.made_with or [None] * len(args.runs)
    for run, kernels, made_with in zip(args.runs, args.kernels, digests, strict=True):
        for row in compare(run, kernels, subsets, made_with):
            print(", ".join(f"{key}: {value}" for key, value in row.items()), file=sys.stderr)
            rows.append(row)
    if not rows:
        sys.exit("the NTK of every saved network is zero: there is nothing to compare")
    off = sum(not within_tolerance(row) for row in rows)
    if off:
        sys.exit(
            f"{off} of {len(rows)} networks differ from neural-tangents by more than {TOLERANCE}: see above"
        )
    write_rows(args.out, rows)
    packages = ["jax", "jaxlib", "flax", "numpy", "scipy"]
    sources = provenance("verification", {"tolerance": TOLERANCE}, args.runs + args.subsets, packages)
    sources["versions"]["neural-tangents"] = origin_of(args.kernels[0])["versions"]["neural-tangents"]
    write_record(Path(args.out).with_suffix(".json"), {"rows": rows}, sources)


def compare(
    run: FilePath, kernels: FilePath, subsets: Mapping[str, FilePath], made_with: str | None
) -> Iterator[Row]:
    """One row of the table for each seed whose parameters are in the file ``run``.

    ``subsets`` are files by dataset; ``made_with`` is the digest of the settings of the run, None for any.
    """
    own = read_run_file(run, made_with)
    settings = reader_of(TrainingSettings)(as_json(own.origin["settings"]))
    subset = sized(_subset(subsets[settings.curve.dataset], settings.subset), settings.data.image_size)
    model = build_network(settings.network, subset.image_shape, subset.classes)
    images = subset.test_images[: settings.measurement.ntk_samples]
    with opened(kernels, "neural-tangents' kernels", settings_sha256(settings)) as theirs:
        for trajectory in own.trajectories:
            minimum = trajectory.minimum
            if minimum is None or minimum.parameters is None:
                continue
            group = get_group(theirs, f"seed-{trajectory.seed:04d}")
            if minimum.ntk_trace == float(read_array(group, "ntk_trace")) == 0:
                print(f"{run}: the NTK of seed {trajectory.seed} is zero in both", file=sys.stderr)
                continue
            yield {
                **settings.curve._asdict(),
                "point": Path(run).parent.name,
                "seed": trajectory.seed,
                **differences(model, minimum, images, group),
            }


@cache
def _subset(path: FilePath, made_with: str) -> Subset:
    """`read_subset`, once for all runs on a dataset."""
    return read_subset(path, made_with)


def differences(
    model: nn.Module, minimum: Minimum, images: Float[np.ndarray, "d n0"], theirs: h5py.Group
) -> dict[str, float]:
    """The relative differences from neural-tangents' values.

    One is that of our NTK, in the Frobenius norm. The others are those of its trace and effective rank, as
    computed here and as stored in the run file.
    """
    params = {"params": minimum.parameters}
    theta = np.asarray(jax.jit(lambda params: ntk_matrix(model, params, images))(params))
    trace = float(jax.jit(lambda params: ntk_trace(model, params, images))(params))
    ntk = read_array(theirs, "ntk")
    their_trace, their_rank = (float(read_array(theirs, name)) for name in ("ntk_trace", "effective_rank"))
    rank, stored_rank = (
        float(effective_rank(spectrum)) for spectrum in (eigenvalues(normalised(theta)), minimum.eigenvalues)
    )
    return {
        "ntk_difference": float(np.linalg.norm(theta - ntk) / np.linalg.norm(ntk)),
        "trace_difference": relative(trace, their_trace),
        "effective_rank_difference": relative(rank, their_rank),
        "stored_trace_difference": relative(minimum.ntk_trace, their_trace),
        "stored_effective_rank_difference": relative(stored_rank, their_rank),
    }


def within_tolerance(row: Row) -> bool:
    """Whether every difference is at most `TOLERANCE`; NaN is not."""
    return all(value <= TOLERANCE for name, value in row.items() if name.endswith("difference"))


def relative(ours: float, theirs: float) -> float:
    """The relative difference of ``ours`` from ``theirs``."""
    return float(abs(ours / theirs - 1))


def write_rows(path: FilePath, rows: Sequence[Row]) -> None:
    """Write ``rows`` as CSV, by `whole_file`."""
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


if __name__ == "__main__":
    run_script(main, minutes=None)
