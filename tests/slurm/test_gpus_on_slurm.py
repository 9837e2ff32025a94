"""Jobs take the GPUs that SLURM assigns to them. The GPUs are made up: no real GPU is used."""

import pytest

from tests.slurm.calls import Call, use_profile
from tests.slurm.journal import note
from tests.support.repositories import copy_repository

# Two jobs of a rule to which the profile assigns GPUs. Each waits until both run, and so hold their GPUs.
SNAKEFILE = """
rule all:
    input: expand("out/{job}", job=range(2))

rule train:
    output: "out/{job}"
    resources: gpu=1, mem_mb=100, runtime=5
    shell:
        "touch at-work-{wildcards.job}; while [ ! -e at-work-0 -o ! -e at-work-1 ]; do sleep 0.1; done;"
        " echo $CUDA_VISIBLE_DEVICES > {output}"
"""
RUN = "results/smoke/runs/noise-scaling/digits/dense/removed-0/seeds-0-0.h5"


@pytest.fixture
def repository(slurm, tmp_path):
    return copy_repository(tmp_path / "repository")


def test_jobs_at_work_at_once_have_a_gpu_each(repository):
    use_profile(repository)
    (repository / "Snakefile").write_text(SNAKEFILE, encoding="utf-8")
    with Call(repository, name="call for two GPUs") as call:
        assert call.finish() == 0, call.output
    gpus = [(repository / f"out/{job}").read_text(encoding="utf-8").strip() for job in range(2)]
    note(f"CUDA_VISIBLE_DEVICES of two jobs at once: {' and '.join(gpus)}")
    assert sorted(gpus) == ["0", "1"]


def test_training_on_a_gpu_that_jax_cannot_use_fails_and_says_so(repository):
    use_profile(repository, device="gpu")
    arguments = (RUN, "--configfile", "config/smoke.yaml", "--retries", "0")
    with Call(repository, *arguments, name="call for a GPU") as call:
        assert call.finish() != 0
    assert "JAX cannot use the GPU" in call.output
    assert not (repository / RUN).exists()
