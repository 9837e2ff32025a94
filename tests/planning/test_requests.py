"""Requests by hand, beside peaks that were measured, and what they may depend on."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from ntklens.costs import prices as costs
from ntklens.costs.prices import Job
from ntklens.costs.units import read_unit_costs
from ntklens.planning import curves as studies
from ntklens.planning import requests as resources
from ntklens.planning.config import complete
from ntklens.planning.curves import Curve
from ntklens.planning.requests import LEAST_MEMORY, LEAST_RUNTIME, Requests, memory_mb, runtime_minutes

from tests.support.small_config import BY_SIZE, BY_WIDTH, WIDTHS, changed, small

ROOT = Path(__file__).parents[2]


def job(seconds=7200.0, gpu_seconds=1200.0, memory=4.04e9):
    return Job("train", BY_WIDTH, 8, {"training": seconds}, gpu_seconds, memory, disk=1e6)


def shipped(name):
    return complete(yaml.safe_load((ROOT / "config" / name).read_text()))


@pytest.mark.parametrize(
    ("attempt", "memory", "runtime"), [(1, 6100, 360), (2, 12200, 720), (3, 18300, 1080)]
)
def test_requests_have_margins_and_grow_with_attempts(attempt, memory, runtime):
    assert memory_mb(job(), gpus=0, attempt=attempt) == memory
    assert runtime_minutes(job(), gpus=0, attempt=attempt) == runtime


def test_a_gpu_takes_its_own_time_and_memory_of_the_host_for_cuda():
    assert memory_mb(job(), gpus=1) == 6100 + resources.CUDA_MEMORY
    assert runtime_minutes(job(), gpus=1) == 60


@pytest.mark.parametrize("gpus", [0, 1])
def test_a_short_job_asks_for_the_least(gpus):
    short = job(seconds=1.0, gpu_seconds=1.0, memory=1e6)
    assert memory_mb(short, 0) == LEAST_MEMORY
    assert runtime_minutes(short, gpus) == LEAST_RUNTIME
    assert memory_mb(short, gpus, attempt=2) == 2 * memory_mb(short, gpus)
    assert runtime_minutes(short, gpus, attempt=3) == 3 * LEAST_RUNTIME


@pytest.mark.parametrize("gpus", [0, 1])
def test_every_job_of_the_papers_config_asks_for_what_it_is_priced_at(gpus):
    config = shipped("paper.yaml")
    requests = Requests(config, gpus)
    for priced in costs.jobs_of(config, read_unit_costs()):
        if priced.kind == "calibrate":
            arguments = [priced.curve]
        elif priced.kind.startswith("train"):
            first, last = studies.batches(config, priced.curve, priced.scale)[0]
            arguments = [priced.curve, priced.scale, last - first + 1]
        else:
            continue
        assert requests.memory_mb(*arguments) == memory_mb(priced, gpus)
        # Later batches find programs compiled, which requests don't count on.
        assert requests.runtime_minutes(*arguments) >= runtime_minutes(priced, gpus)
        assert requests.memory_mb(*arguments, attempt=3) == 3 * memory_mb(priced, gpus)


def test_wider_networks_and_more_seeds_ask_for_more():
    requests = Requests(shipped("paper.yaml"), gpus=0)
    curve = Curve("model-scaling", "mnist", "four-layer")
    by_width = [requests.memory_mb(curve, width, seeds=5) for width in (512, 1024, 2048, 4096)]
    by_seeds = [requests.runtime_minutes(curve, 1024, seeds) for seeds in (1, 2, 5, 10)]
    assert by_width == sorted(set(by_width))
    assert by_seeds == sorted(set(by_seeds))


# Peaks of the rules' scripts in MiB with the paper's numbers of samples and a few epochs, one core,
# jax 0.10.2: curve, scale, seeds.
PEAKS = [
    ("model-scaling", "mnist", "four-layer", 256, 20, 1198),
    ("model-scaling", "mnist", "four-layer", 512, 10, 1219),
    ("model-scaling", "mnist", "four-layer", 1024, 5, 1450),
    ("model-scaling", "mnist", "four-layer", 2048, 2, 1831),
    ("model-scaling", "mnist", "four-layer", 4096, 1, 2440),
    ("model-scaling", "cifar-10", "four-layer", 4096, 1, 3355),
    ("data-scaling", "mnist", "four-layer", 2048, 20, 1061),
    ("data-scaling", "cifar-10", "four-layer", 2048, 20, 2467),
    ("data-scaling", "cifar-10", "four-layer", 16384, 4, 3332),
]


@pytest.mark.parametrize(("study", "dataset", "network", "scale", "seeds", "peak"), PEAKS)
def test_a_job_asks_for_no_less_memory_than_was_measured(study, dataset, network, scale, seeds, peak):
    config = shipped("paper.yaml")
    curve = Curve(study, dataset, network)
    assert studies.batches(config, curve, scale)[0] == (0, seeds - 1)
    assert Requests(config, gpus=0).memory_mb(curve, scale, seeds) * 1e6 > 1.2 * peak * 2**20


def test_each_kind_of_job_is_priced_once(monkeypatch):
    priced = []
    monkeypatch.setattr(costs, "run_job", lambda *arguments: priced.append(arguments) or job())
    monkeypatch.setattr(costs, "calibration_job", lambda *arguments: priced.append(arguments) or job())
    requests = Requests(complete(small()), gpus=0)
    for _ in range(3):
        for curve, scale in ((BY_WIDTH, 8), (BY_WIDTH, 32), (BY_SIZE, 40)):
            requests.memory_mb(curve, scale, 5)
            requests.runtime_minutes(curve, scale, 5, attempt=2)
        requests.memory_mb(BY_WIDTH)
    assert len(priced) == 4


def test_a_users_file_is_asked_for_its_sizes(tmp_path):
    images = np.zeros((60_000, 4, 300), np.uint8)
    np.savez_compressed(tmp_path / "own.npz", images=images, labels=np.arange(60_000) % 3)
    config = complete(changed((*WIDTHS, "dataset"), str(tmp_path / "own.npz")))
    curve = BY_WIDTH._replace(dataset="own")
    pool = 5 * images.size  # bytes, as numbers and as they are read
    assert Requests(config, gpus=0).memory_mb(curve, 8, 5) > pool / 1e6
    assert Requests(config, gpus=0).memory_mb(BY_SIZE, 40, 5) == LEAST_MEMORY


@pytest.mark.parametrize("content", [None, b"no zip file"])
def test_a_users_file_that_is_no_good_asks_for_the_least_and_raises_nothing(tmp_path, content):
    path = tmp_path / "own.npz"
    if content is not None:
        path.write_bytes(content)
    requests = Requests(complete(changed((*WIDTHS, "dataset"), str(path))), gpus=1)
    curve = BY_WIDTH._replace(dataset="own")
    assert (requests.memory_mb(curve), requests.runtime_minutes(curve)) == (LEAST_MEMORY, LEAST_RUNTIME)


def test_snakemake_imports_no_jax_for_it():
    """Snakemake imports this in every job that it starts."""
    command = "import sys; from ntklens import resources; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command], cwd=ROOT / "workflow").returncode == 0
