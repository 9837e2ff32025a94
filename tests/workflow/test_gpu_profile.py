"""profiles/gpu runs a small workflow whose jobs lease made-up GPUs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GPUS = ("GPU-0000aaaa", "GPU-0000bbbb")
SNAKEFILE = """
rule all:
    input: expand("out/{job}", job=range(6))

rule train:
    output: "out/{job}"
    resources: gpu=1 if config["device"] == "gpu" else 0
    shell: "python job.py {config[jobs_per_gpu]} > {output}"
"""
# Every job waits until two jobs have leased a GPU, so that two certainly run at once.
JOB = """
import sys, time
from pathlib import Path
from ntklens.machine.gpu_lease import lease_gpu

began = time.monotonic()
gpu = lease_gpu(int(sys.argv[1]))
leased = time.monotonic()
Path(f"leased-{leased}").touch()
while len(list(Path().glob("leased-*"))) < 2:
    time.sleep(0.01)
time.sleep(0.1)
print(gpu, began, leased, time.monotonic())
"""


@pytest.fixture
def run(tmp_path):
    """Run the workflow with the profile for a number of GPUs.

    The function returns the GPU of each job, and the times when it began, leased the GPU and ended.
    """
    (tmp_path / "Snakefile").write_text(SNAKEFILE, encoding="utf-8")
    (tmp_path / "job.py").write_text(JOB, encoding="utf-8")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/nvidia-smi").write_text(
        f"#!/bin/sh\necho 0, {GPUS[0]}; echo 1, {GPUS[1]}\n", encoding="utf-8"
    )
    (tmp_path / "bin/nvidia-smi").chmod(0o755)
    (tmp_path / "tmp").mkdir()
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("CUDA_", "SLURM_"))},
        "PATH": os.pathsep.join([f"{tmp_path}/bin", str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT / "workflow"),
        "TMPDIR": str(tmp_path / "tmp"),
    }

    def run(gpus, jobs_per_gpu=1):
        profile = (ROOT / "profiles/gpu/config.yaml").read_text(encoding="utf-8")
        assert profile.count("gpu: 1\n") == profile.count("device=gpu\n") == 1
        profile = profile.replace("gpu: 1\n", f"gpu: {gpus}\n")
        profile = profile.replace("device=gpu\n", f"device=gpu\n  - jobs_per_gpu={jobs_per_gpu}\n")
        (tmp_path / "profiles/mine").mkdir(parents=True)
        (tmp_path / "profiles/mine/config.yaml").write_text(profile, encoding="utf-8")
        command = ["snakemake", "--workflow-profile", "profiles/mine", "--cores", "6"]
        result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8")
        assert result.returncode == 0, result.stdout + result.stderr
        rows = [path.read_text(encoding="utf-8").split() for path in (tmp_path / "out").iterdir()]
        return [(gpu, *map(float, times)) for gpu, *times in rows]

    return run


def most_at_once(spans):
    """The largest number of spans (first, last) that overlap at one moment."""
    return max(sum(first <= moment < last for first, last in spans) for moment, _ in spans)


def test_as_many_jobs_as_the_profile_says_each_with_a_gpu_of_its_own(run):
    jobs = run(gpus=2)
    assert most_at_once([(began, ended) for _, began, _, ended in jobs]) == 2
    for gpu in GPUS:
        assert most_at_once([(leased, ended) for name, _, leased, ended in jobs if name == gpu]) == 1


def test_more_jobs_than_gpus_wait_for_each_other(run):
    """This happens where the profile claims too many GPUs, or another workflow uses some of them."""
    jobs = run(gpus=6)
    for gpu in GPUS:
        assert most_at_once([(leased, ended) for name, _, leased, ended in jobs if name == gpu]) == 1


def test_jobs_share_gpus_where_asked(run):
    jobs = run(gpus=4, jobs_per_gpu=2)
    for gpu in GPUS:
        assert most_at_once([(leased, ended) for name, _, leased, ended in jobs if name == gpu]) <= 2
    assert {name for name, *_ in jobs} == set(GPUS)
