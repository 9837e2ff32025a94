"""Requests by hand, beside peaks and times that were measured, and what they may depend on."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from ntklens.costs.prices import Price, Sizes
from ntklens.planning import requests as module
from ntklens.planning.config import load
from ntklens.planning.curves import batches, curves
from ntklens.planning.requests import CUDA_MEMORY, Requests, memory_mb, run_time_minutes, sizes_of
from ntklens.storage.curve import Curve

from tests.support.small_config import BY_SIZE, BY_WIDTH, WIDTHS, changed, small

ROOT = Path(__file__).parents[2]
LONG = Price({"training": 7000.0, "start-up": 200.0}, gpu_seconds=1200.0, memory=4.04e9, disk=1e6)
LEAST = (2000, 15)  # MB and minutes
SHORT = Price({"training": 1.0}, gpu_seconds=1.0, memory=1e6, disk=1e6)


def shipped(name):
    return load(yaml.safe_load((ROOT / "config" / name).read_text(encoding="utf-8")))


@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_requests_have_margins_and_grow_with_attempts(attempt):
    assert memory_mb(LONG, 0, attempt) == 6100 * attempt
    assert run_time_minutes(LONG, 0, attempt) == 360 * attempt
    assert memory_mb(LONG, 1, attempt) == (6100 + CUDA_MEMORY) * attempt
    assert run_time_minutes(LONG, 1, attempt) == 60 * attempt


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_short_job_asks_for_the_least(attempt):
    assert memory_mb(SHORT, 0, attempt) == 2000 * attempt
    assert run_time_minutes(SHORT, 0, attempt) == 15 * attempt
    assert run_time_minutes(SHORT, 1, attempt) == 15 * attempt


def test_wider_networks_and_more_seeds_ask_for_more():
    requests, curve = Requests(shipped("paper.yaml"), gpus=0), Curve("model-scaling", "mnist", "four-layer")
    by_width = [requests.memory_mb(curve, width, seeds=5) for width in (512, 1024, 2048, 4096)]
    by_seeds = [requests.run_time_minutes(curve, 4096, seeds) for seeds in (1, 2, 5, 10)]
    assert by_width == sorted(set(by_width))
    assert by_seeds == sorted(set(by_seeds))
    assert requests.memory_mb(curve, 1024, 5, attempt=2) == 2 * requests.memory_mb(curve, 1024, 5)


# Peaks in MiB and seconds of jobs on one core, jax 0.10.2: config, curve, scale, seeds, peak, time. The
# paper's jobs trained for a few epochs; of a whole run of the laptop's config these left least room.
MEASURED = [
    ("paper", "model-scaling", "mnist", "four-layer", 256, 20, 1198, None),
    ("paper", "model-scaling", "mnist", "four-layer", 4096, 1, 2440, None),
    ("paper", "model-scaling", "cifar-10", "four-layer", 4096, 1, 3355, None),
    ("paper", "data-scaling", "cifar-10", "four-layer", 2048, 20, 2467, None),
    ("paper", "data-scaling", "cifar-10", "four-layer", 16384, 4, 3332, None),
    ("config", "model-scaling", "mnist-5k", "four-layer", 1024, 5, 1909, 182),
    ("config", "model-scaling", "mnist-5k", "four-layer", 512, 5, 1118, 86),
    ("config", "model-scaling", "mnist-5k", "four-layer", None, 0, 760, 29),
    ("config", "noise-scaling", "mnist-5k-4", "convolutional", 0, 3, 622, 60),
]


@pytest.mark.parametrize(
    ("name", "study", "dataset", "network", "scale", "seeds", "peak", "seconds"), MEASURED
)
def test_a_job_asks_for_more_than_was_measured(name, study, dataset, network, scale, seeds, peak, seconds):
    config, curve = shipped(f"{name}.yaml"), Curve(study, dataset, network)
    assert scale is None or batches(config, curve, scale)[0] == (0, seeds - 1)
    requests = Requests(config, gpus=0)
    assert requests.memory_mb(curve, scale, seeds) * 1e6 > 1.15 * peak * 2**20
    assert requests.run_time_minutes(curve, scale, seeds) * 60 > 3 * (seconds or 0)


def test_each_job_is_priced_once(monkeypatch):
    priced = []
    for name in ("training_price", "calibration_price"):
        monkeypatch.setattr(module, name, lambda *arguments: priced.append(arguments) or LONG)
    requests = Requests(load(small()), gpus=0)
    for attempt in (1, 2, 3):
        for job in ((BY_WIDTH, 8, 5), (BY_WIDTH, 32, 5), (BY_SIZE, 40, 5), (BY_WIDTH,)):
            requests.memory_mb(*job, attempt=attempt)
            requests.run_time_minutes(*job, attempt=attempt)
    assert len(priced) == 4


@pytest.mark.parametrize(("own_test", "pool", "test"), [(0, 600, 100), (60, 640, 60)])
def test_a_users_file_counts_its_own_samples(tmp_path, own_test, pool, test):
    images, labels = np.zeros((700, 4, 5), np.uint8), np.arange(700) % 3
    parts = {"images": images[own_test:], "labels": labels[own_test:]}
    if own_test:
        parts |= {"test_images": images[:own_test], "test_labels": labels[:own_test]}
    np.savez(tmp_path / "own.npz", **parts)
    config = {
        **changed((*WIDTHS, "dataset"), str(tmp_path / "own.npz")),
        "test_samples": 100,
        "ntk_samples": 50,
    }
    config = load(config)
    assert sizes_of(config, curves(config, "model-scaling")[0]) == Sizes((4, 5, 1), 3, 700, pool, test)


@pytest.mark.parametrize("content", [None, b"no zip file"])
def test_a_users_file_that_is_no_good_asks_for_the_least_and_raises_nothing(tmp_path, content):
    path = tmp_path / "own.npz"
    config = load(changed((*WIDTHS, "dataset"), str(path)))
    if content is not None:
        path.write_bytes(content)  # where jobs read it, after the config has been loaded
    requests = Requests(config, gpus=0)
    curve = BY_WIDTH._replace(dataset="own")
    assert (requests.memory_mb(curve), requests.run_time_minutes(curve, 8, 5)) == LEAST
