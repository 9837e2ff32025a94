"""Copies of the repository, the smoke config's run, and its rules' commands."""

import subprocess
from contextlib import contextmanager

import pytest

from tests.support.repositories import copy_repository, shared_repository
from tests.support.rule_commands import RuleCommands


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id):
    """A copy in which the smoke config has run from an empty results folder. Tests must not change it."""
    return shared_repository(tmp_path_factory.getbasetemp(), worker_id)


@pytest.fixture
def repository(tmp_path):
    """A fresh copy without results."""
    return copy_repository(tmp_path / "repository")


@pytest.fixture(scope="session")
def commands(finished, tmp_path_factory):
    return RuleCommands(finished, tmp_path_factory.mktemp("reference"))


@pytest.fixture
def mounted():
    """A context manager that mounts an empty file system in memory on a folder, with the given options."""

    @contextmanager
    def mount(folder, options):
        folder.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
        try:
            result = subprocess.run(command, capture_output=True, encoding="utf-8")
        except FileNotFoundError:
            pytest.skip("there is no program mount")
        if result.returncode:
            pytest.skip(f"only root may mount a file system: {result.stderr.strip()}")
        try:
            yield
        finally:
            subprocess.run(["umount", str(folder)], check=True)

    return mount
