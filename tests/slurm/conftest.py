"""A SLURM that runs for these tests only, and the journal of events that is printed at their end."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.slurm import cluster, journal

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    reason = cluster.reason_to_skip()
    if reason:
        for item in items:
            if item.path.is_relative_to(HERE):
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter):
    if journal.LINES:
        terminalreporter.section("what happened on the cluster")
        for line in journal.LINES:
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def slurm():
    """A running SLURM, for the whole session."""
    keeper = subprocess.Popen(
        [sys.executable, cluster.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    try:
        assert keeper.stdout.readline() == "ready\n", "SLURM did not start: its logs are above"
        version = subprocess.run(
            ["sbatch", "--version"], capture_output=True, encoding="utf-8"
        ).stdout.strip()
        journal.note(f"{version}: one node, {cluster.CPUS} CPUs, {cluster.GPUS} made-up GPUs")
        yield
    finally:
        keeper.stdin.close()
        keeper.stdout.close()
        keeper.wait(timeout=120)
