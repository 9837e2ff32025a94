"""Real Snakemake runs, each in its own copy of the repository."""

import shutil

import pytest

from tests.support.repositories import Repository, copy_repository, shared_repository


@pytest.fixture
def repository(tmp_path):
    """A fresh copy without results."""
    return copy_repository(tmp_path / "repository")


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id):
    """A copy in which the smoke config has run from an empty results folder. Tests must not change it."""
    return shared_repository(tmp_path_factory.getbasetemp(), worker_id)


@pytest.fixture
def edited(finished, tmp_path):
    """A copy of the finished repository with its results, which a test may change."""
    shutil.copytree(finished.folder, tmp_path / "edited", symlinks=True)
    return Repository(tmp_path / "edited")
