"""`make figures` is killed by SIGKILL several times, then called again."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

COMMAND = [
    "make",
    "figures",
    # The environment of these tests takes the place of the one that make would set up.
    "--assume-old=.venv/ready",
    # The jobs are short, so they write checkpoints as often as they can.
    "SNAKEMAKE_ARGS=--configfile config/smoke.yaml --config checkpoint_seconds=0.01",
]
KILLED_AT = (1, 4, 9)  # numbers of run files that exist when the run is killed

pytestmark = pytest.mark.slow


@contextmanager
def started(repository, command=COMMAND):
    process = subprocess.Popen(
        command,
        cwd=repository.folder,
        env=repository.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with_group(process, signal.SIGKILL)
        process.stdout.close()
        process.wait()


def with_group(process, number):
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def wait_for_runs(repository, count, process):
    """Wait until ``count`` run files exist, and so training is under way."""
    deadline = time.monotonic() + 300
    while len(list((repository / "results").rglob("seeds-*.h5"))) < count:
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def undisturbed(finished):
    return {
        path.name: json.loads(path.read_text(encoding="utf-8"))
        for path in (finished / "results/smoke/figures").glob("*.json")
    }


def test_killed_make_finishes_with_the_same_numbers_when_called_again(repository, undisturbed):
    (repository / ".venv").symlink_to(sys.prefix)
    for count in KILLED_AT:
        with started(repository) as process:
            wait_for_runs(repository, count, process)
            time.sleep(random.uniform(0, 2))
            with_group(process, signal.SIGKILL)
            process.wait()
    partial = list((repository / "results").rglob("*.json"))
    for path in partial:
        json.loads(path.read_text(encoding="utf-8"))  # every file that exists is complete
    with started(repository) as process:
        output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output
    assert "removing the lock" in output
    figures = (repository / "results/smoke/figures").glob("*.json")
    assert {path.name: json.loads(path.read_text(encoding="utf-8")) for path in figures} == undisturbed
    assert not list((repository / "results").rglob("checkpoints/*"))


def test_make_waits_for_a_run_that_lost_its_make(repository):
    """If make alone is killed, Snakemake keeps running, and the next call waits for it instead of failing."""
    (repository / ".venv").symlink_to(sys.prefix)
    target = "results/smoke/subsets/digits.h5"
    command = [*COMMAND[:-1], f"SNAKEMAKE_ARGS={target} --configfile config/smoke.yaml"]
    with started(repository, command) as first:
        locks = repository / ".snakemake/locks"
        while not (locks.is_dir() and any(locks.iterdir())):
            assert first.poll() is None, first.stdout.read()
            time.sleep(0.01)
        first.kill()
        second = repository.run(*command)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "is already running here" in second.stderr
    assert (repository / target).exists()
