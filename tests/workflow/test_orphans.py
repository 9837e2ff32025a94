"""Which SLURM jobs Snakemake cancels as it starts, with a simulated `squeue` and `scancel`."""

import os

import pytest
from ntklens.machine.locks import lock

TARGET = "results/datasets/digits.h5"
NEXT = "results/smoke/subsets/digits.h5"
# Lists a job of the workflow in this folder. Once that is cancelled it fails at first, and then the job ends.
SQUEUE = """#!/bin/sh
if [ ! -e cancelled ]; then
    echo "7|rule_train_wildcards_x|$PWD"
elif [ ! -e asked ]; then
    touch asked
    exit 1
else
    rm -f "$UNFINISHED"
fi
"""
SCANCEL = """#!/bin/sh
echo "$@" >> cancelled
"""


@pytest.fixture
def on_cluster(repository):
    """A repository with one job to do, which `--touch` does at once."""
    programs = repository / "programs"
    programs.mkdir()
    for name, text in (("squeue", SQUEUE), ("scancel", SCANCEL)):
        (programs / name).write_text(text, encoding="utf-8")
        (programs / name).chmod(0o755)
    repository.environment["PATH"] = f"{programs}{os.pathsep}{repository.environment['PATH']}"
    (repository / ".snakemake").mkdir()
    return repository


def test_jobs_are_cancelled_unless_another_run_lives_in_the_folder(on_cluster):
    live = lock(on_cluster / f".snakemake/runs-of-user-{os.getuid()}.lock", shared=True)
    beside = on_cluster.snakemake("--cores", "1", "--touch", "--", TARGET)
    assert beside.returncode == 0, beside.stdout + beside.stderr
    assert "SLURM jobs of this folder are left alone: 7." in beside.stderr
    assert not (on_cluster / "cancelled").exists()
    os.close(live)
    alone = on_cluster.snakemake("--cores", "1", "--touch", "--", TARGET)
    assert alone.returncode == 0, alone.stdout + alone.stderr
    assert "cancelling SLURM jobs that an earlier call left behind: 7" in alone.stderr
    assert (on_cluster / "cancelled").read_text(encoding="utf-8") == "7\n"


def test_file_that_a_cancelled_job_deletes_is_made_again(on_cluster):
    made = on_cluster.snakemake("--cores", "1", "--configfile", "config/smoke.yaml", "--", TARGET)
    assert made.returncode == 0, made.stdout + made.stderr
    (on_cluster / "cancelled").unlink()
    (on_cluster / "asked").unlink()
    on_cluster.environment["UNFINISHED"] = TARGET
    again = on_cluster.snakemake("--cores", "1", "--configfile", "config/smoke.yaml", "--", NEXT)
    assert again.returncode == 0, again.stdout + again.stderr
    assert (on_cluster / TARGET).exists()
    assert (on_cluster / NEXT).exists()
