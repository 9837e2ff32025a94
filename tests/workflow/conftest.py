"""Real Snakemake runs, each in its own copy of the repository."""

import shutil

import pytest

from tests.support.repositories import Repository, copy_repository, finished_repository


@pytest.fixture
def repository(tmp_path):
    """A fresh copy without results."""
    return copy_repository(tmp_path / "repository")


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A copy in which the smoke config has run from an empty results folder. Not to be changed."""
    return finished_repository(tmp_path_factory.mktemp("smoke") / "repository")


@pytest.fixture
def edited(finished, tmp_path):
    """A copy of the finished repository, results included, to change something in."""
    shutil.copytree(finished.folder, tmp_path / "edited", symlinks=True)
    return Repository(tmp_path / "edited")
