"""Twenty seeds in one job beside twenty jobs of one seed, and a job's start-up: seconds of wall time.

    python benchmarks/seed_batches.py

Every job is a process of workflow/scripts/train.py on one thread: a three-layer network trains for 500 epochs
on 100 images of mnist-5k, with the trace every second epoch. Of the twenty single jobs three are run, and
their median counts twenty times. All of this is measured without a compilation cache and, as in the workflow,
with one that an earlier job has filled; with two spectra per seed and with eleven. A start-up is a job of one
epoch.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ntklens.data.settings import DataSettings, SplitSettings
from ntklens.networks.architectures import NetworkSettings
from ntklens.storage.curve import Curve
from ntklens.storage.settings import as_json, settings_sha256
from ntklens.studies.jobs import TrainingSettings
from ntklens.studies.recipes import Measurement, Recipe
from ntklens.training.optimisers import Adam
from ntklens.training.schedules import Stop

SCRIPTS = Path(__file__).resolve().parents[1] / "workflow/scripts"
WIDTHS = (8, 64, 256)
SEEDS = 20
SPLIT = SplitSettings(dataset="mnist-5k", test_samples=500, split_seed=0)
SINGLE_JOBS = 3
EPOCHS = 500
SPECTRA = tuple(range(0, EPOCHS, 50))


def settings(width: int, epochs: int, spectra: tuple[int, ...]) -> TrainingSettings:
    """The settings of a job whose seeds all train for ``epochs``."""
    return TrainingSettings(
        curve=Curve("model-scaling", "mnist-5k", "three-layer"),
        scale=width,
        subset=settings_sha256(SPLIT),
        learning_rates=None,
        network=NetworkSettings(hidden_layers=2, width=width),
        data=DataSettings(train_samples=100, balanced=False, draw_seed=0),
        recipe=Recipe(
            optimiser=Adam(b1=0.9, b2=0.999, eps=1e-8),
            batch_size=None,
            learning_rate=1e-4,
            stop=Stop.fixed(epochs),
            evaluate_every=1,
            vary="initialisation",
        ),
        measurement=Measurement(
            ntk_samples=128,
            ntk_draws=1,
            trace_every=2,
            spectrum_epochs=spectra,
            alignments=True,
            minimum=True,
            save_parameters=0,
        ),
    )


def job(
    folder: Path, seeds: int, width: int, epochs: int, spectra: tuple[int, ...], cache: Path | None
) -> float:
    """Run one job for ``seeds`` seeds. Returns its seconds of wall time."""
    variables = {**os.environ, "NTKLENS_COMPILATION_CACHE": str(cache or "")}
    command = [sys.executable, SCRIPTS / "train.py", "--subset", folder / "subset.h5", "--seeds", "0"]
    command += [str(seeds - 1), "--out", folder / "run.h5"]
    command += ["--settings", as_json(settings(width, epochs, spectra))]
    begin = time.perf_counter()
    subprocess.run(command, env=variables, check=True, capture_output=True)
    return time.perf_counter() - begin


def prepare(folder: Path) -> None:
    """Make the subset that jobs train on."""
    dataset = folder / "mnist-5k.h5"
    run = [sys.executable, SCRIPTS / "fetch.py", "--dataset", "mnist-5k", "--out", dataset]
    subprocess.run(run, check=True)
    split = as_json(SPLIT)
    run = [sys.executable, SCRIPTS / "subsample.py", "--dataset", dataset, "--settings", split]
    subprocess.run([*run, "--out", folder / "subset.h5"], check=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        for cache in (None, folder / "cache"):
            kept = "programs kept" if cache else "nothing kept "
            for width in WIDTHS:
                if cache:
                    job(folder, 1, width, 1, (0,), cache)
                startup = statistics.median(job(folder, 1, width, 1, (0,), cache) for _ in range(SINGLE_JOBS))
                print(f"{kept} width {width:>4}: start-up {startup:.1f} s", flush=True)
                for spectra in ((0,), SPECTRA):
                    if cache:
                        job(folder, SEEDS, width, EPOCHS, spectra, cache)
                        job(folder, 1, width, EPOCHS, spectra, cache)
                    together = job(folder, SEEDS, width, EPOCHS, spectra, cache)
                    alone = [job(folder, 1, width, EPOCHS, spectra, cache) for _ in range(SINGLE_JOBS)]
                    apart = SEEDS * statistics.median(alone)
                    print(
                        f"{kept} width {width:>4}, {len(spectra) + 1:>2} spectra a seed: one job "
                        f"{together:.1f} s, {SEEDS} jobs {apart:.1f} s, {apart / together:.1f} ×",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
