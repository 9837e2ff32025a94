"""Which run of Snakemake knows that it is the only one in a folder; each run is a process of its own."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
from ntklens.machine.live_runs import joined, lock_file
from ntklens.machine.locks import lock

from tests.support.commands import WORKFLOW

# Joins, says whether it is the only run, has a child, and lives until it is killed.
RUN = """
import subprocess, sys
from ntklens.machine.live_runs import joined
with joined() as only:
    print(only, flush=True)
    if "waiting" in sys.argv:
        sys.stdin.readline()
child = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / ".snakemake").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(WORKFLOW))


@contextmanager
def another(*arguments):
    """Another run, which this one can read from and write to; its end leaves its child alive."""
    command = [sys.executable, "-c", RUN, *arguments]
    pipe = subprocess.PIPE
    run = subprocess.Popen(command, stdin=pipe, stdout=pipe, encoding="utf-8", start_new_session=True)
    try:
        yield run
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()


def is_only():
    """What a run that starts now is told, by a process that then ends."""
    code = "from ntklens.machine.live_runs import joined\nwith joined() as only: print(only)"
    result = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, encoding="utf-8")
    return result.stdout.strip()


def test_run_is_the_only_one_until_another_lives_and_again_once_that_is_killed(folder):
    assert is_only() == "True"
    with another() as run:
        assert run.stdout.readline() == "True\n"
        run.stdout.readline()  # its child lives
        assert is_only() == "False"
        assert is_only() == "False"
        run.kill()
        run.wait()
        assert is_only() == "True"


def test_run_that_starts_waits_while_another_looks_for_orphans(folder):
    with another("waiting") as first:
        assert first.stdout.readline() == "True\n"
        assert lock(lock_file(), shared=True) is None
        with another() as second:
            first.stdin.write("\n")
            first.stdin.flush()
            assert second.stdout.readline() == "False\n"


def test_without_locks_no_run_is_known_to_be_the_only_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # without .snakemake, the lock's file cannot be made
    with joined() as only:
        assert only is False
