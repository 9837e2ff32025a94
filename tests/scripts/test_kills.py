"""Training scripts as processes, killed at random points and started again: the same bytes in the end."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from ntklens.planning import curves, settings
from ntklens.planning.config import load
from ntklens.storage.settings import as_json

from workflow.scripts import fetch, subsample

ROOT = Path(__file__).resolve().parents[2]
KILLS = (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL)
LONG_WINDOW = {"first": 700, "last": 1500}

pytestmark = pytest.mark.slow


def long_config():
    """The smoke config with so many epochs that every job takes a few seconds beyond its start."""
    config = yaml.safe_load((ROOT / "config/smoke.yaml").read_text(encoding="utf-8"))
    config["training"].update(window=LONG_WINDOW, max_epochs=4000, spectrum_epochs=list(range(0, 1500, 25)))
    config["studies"]["noise-scaling"][0].update(epochs=1500, spectrum_epochs=list(range(0, 1500, 50)))
    return load(config)


def job(config, script, study):
    """A script's name, and its settings and seeds for one point of ``study``."""
    curve = curves.curves(config, study)[0]
    if script == "calibrate":
        return script, settings.calibration_settings(config, curve), []
    wanted = settings.training_settings(config, curve, curves.scales(config, curve)[-1])
    recipe = replace(wanted.recipe, learning_rate=wanted.recipe.learning_rate or 0.002)
    wanted = replace(wanted, recipe=recipe)
    return script, wanted, ["--seeds", "0", "1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kills")
    fetch.main(["--dataset", "digits", "--out", f"{folder}/digits.h5"])
    wanted = as_json(settings.subset_settings(long_config(), "digits"))
    subsample.main(["--dataset", f"{folder}/digits.h5", "--settings", wanted, "--out", f"{folder}/subset.h5"])
    return folder


def started(folder, script, wanted, more, out):
    command = [sys.executable, str(ROOT / "workflow/scripts" / f"{script}.py")]
    command += ["--subset", f"{folder}/subset.h5", "--settings", as_json(wanted), *more]
    command += ["--checkpoint", str(out.with_suffix(".state.npz")), "--out", str(out)]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "workflow"),
        "NTKLENS_CHECKPOINT_SECONDS": "0.001",
        "NTKLENS_COMPILATION_CACHE": f"{folder}/programs",
    }
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, encoding="utf-8")


def kill_at_random(process, checkpoint, signal_number, rng):
    """Once a checkpoint newer than the process is there, and a moment later."""
    before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
    deadline = time.monotonic() + 120
    while not checkpoint.exists() or checkpoint.stat().st_mtime_ns == before:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    time.sleep(rng.uniform(0, 0.4))
    process.send_signal(signal_number)
    _, output = process.communicate()
    return output


@pytest.mark.parametrize(
    ("script", "study"),
    [
        ("train", "model-scaling"),  # on a grid of epochs, with the search for the minimum
        ("train", "data-scaling"),  # at every epoch
        ("train", "noise-scaling"),  # on mini-batches
        ("calibrate", "data-scaling"),
    ],
)
def test_killed_script_ends_with_the_same_bytes(folder, script, study):
    name = f"{script}-{study}"
    rng = np.random.default_rng(len(study))
    task = job(long_config(), script, study)
    whole, killed = (folder / f"{name}-{state}.h5" for state in ("whole", "killed"))
    with started(folder, *task, whole) as process:
        _, output = process.communicate()
        assert process.returncode == 0, output
    checkpoint = killed.with_suffix(".state.npz")
    outputs = []
    for number in KILLS:
        with started(folder, *task, killed) as process:
            outputs.append(kill_at_random(process, checkpoint, number, rng))
            assert process.returncode == -number, "the job was over before it was killed"
            assert not killed.exists()
    with started(folder, *task, killed) as process:
        _, output = process.communicate()
        assert process.returncode == 0, output
    for text in [*outputs[1:], output]:
        assert "resuming from a checkpoint" in text
    assert killed.read_bytes() == whole.read_bytes()
    assert not list(folder.glob(f"*{name}-*state*")), "checkpoints are removed on success"
