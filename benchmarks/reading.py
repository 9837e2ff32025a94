"""What checking files costs their readers: the run files of a finished config, read with and without checks.

    python benchmarks/reading.py config/config.yaml

The results of the config must be there. For every curve, its run files are read as `aggregate` reads them:
with all checks, without the digest, and without any. The times are medians, of the same files in turn; the
share is that of the time that the curve's rule `aggregate` took (Snakemake's benchmark file).
"""

import argparse
import csv
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import yaml
from ntklens.planning import paths
from ntklens.planning.config import Config, load
from ntklens.planning.curves import batches, curves, point_name, scales
from ntklens.planning.settings import averaging_settings
from ntklens.storage import sealing
from ntklens.storage.curve import Curve
from ntklens.storage.run_identity import read_runs

ROUNDS = 7
# What is replaced by nothing in each way of reading.
DIGEST = "ntklens.storage.hdf5.check_hdf5"
NUMBERS = "ntklens.storage.run_identity.check_trajectory"
WAYS = {"checked": (), "without the digest": (DIGEST,), "unchecked": (DIGEST, NUMBERS)}


@contextmanager
def without(names: tuple[str, ...]) -> Iterator[None]:
    """The functions ``names`` do nothing inside."""
    if not names:
        yield
        return
    with patch(names[0], lambda *_: None), without(names[1:]):
        yield


def run_files(config: Config, curve: Curve) -> list[str]:
    """The run files of ``curve``."""
    return [
        paths.run(config.name).format(
            **curve._asdict(), point=point_name(config, curve, scale), first=first, last=last
        )
        for scale in scales(config, curve)
        for first, last in batches(config, curve, scale)
    ]


def seconds(config: Config, curve: Curve) -> dict[str, float]:
    """The median time of reading the run files of ``curve`` in each way."""
    settings, files = averaging_settings(config, curve), run_files(config, curve)
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(ROUNDS):
        for way, replaced in WAYS.items():
            with without(replaced):
                # A rule has a process of its own, in which no digest is known yet.
                sealing._check_hdf5.cache_clear()  # pyright: ignore[reportPrivateUsage]
                started = time.perf_counter()
                read_runs(files, settings.runs, settings.seeds)
                times[way].append(time.perf_counter() - started)
    return {way: statistics.median(own) for way, own in times.items()}


def rule_seconds(config: Config, curve: Curve) -> float:
    """The time that the rule `aggregate` took for ``curve``."""
    pattern = paths.benchmark(config.name, "aggregate", paths.CURVE_KEY)
    with Path(pattern.format(**curve._asdict())).open(encoding="utf-8") as file:
        return float(next(csv.DictReader(file, delimiter="\t"))["s"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    config = load(yaml.safe_load(parser.parse_args().config.read_text(encoding="utf-8")))
    print("curve, megabytes, " + ", ".join(f"{way} (s)" for way in WAYS) + ", rule (s), share of checks")
    for curve in curves(config):
        own, rule = seconds(config, curve), rule_seconds(config, curve)
        size = sum(Path(path).stat().st_size for path in run_files(config, curve)) / 1e6
        share = (own["checked"] - own["unchecked"]) / rule
        numbers = ", ".join(f"{value:.3f}" for value in own.values())
        print(f"{'/'.join(curve)}, {size:.1f}, {numbers}, {rule:.1f}, {share:.1%}")


if __name__ == "__main__":
    main()
