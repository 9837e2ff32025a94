"""`make figures` is killed by SIGKILL several times, then called again, for another number of cores."""

import json
import os
import random
import shutil
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
# Folders of files that hold how long jobs took, and of digests of code, which a dry run of any config writes.
BESIDES = ("logs", "benchmarks", "code")

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


def results(repository):
    """The bytes of every file in the results folder, by its path there, but those in `BESIDES`."""
    folder = repository / "results"
    paths = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path): (folder / path).read_bytes() for path in paths if not set(BESIDES) & set(path.parts)}


def test_killed_make_finishes_on_one_core_with_the_same_bytes(finished, repository):
    (repository / ".venv").symlink_to(sys.prefix)
    # The compiled programs too: compiling takes most of the time, and has nothing to do with kills or cores.
    shutil.copytree(finished / ".cache", repository / ".cache")
    for count in KILLED_AT:
        with started(repository) as process:
            wait_for_runs(repository, count, process)
            time.sleep(random.uniform(0, 2))
            with_group(process, signal.SIGKILL)
            process.wait()
    for path in (repository / "results").rglob("*.json"):
        json.loads(path.read_text(encoding="utf-8"))  # every file that exists is complete
    with started(repository, [*COMMAND[:-1], f"{COMMAND[-1]} --cores 1"]) as process:
        output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output
    assert "removing the lock" in output
    found, expected = results(repository), results(finished)
    assert set(found) == set(expected)
    assert [name for name, content in found.items() if content != expected[name]] == []


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
