"""Real Snakemake runs, each in its own copy of the repository."""

import shutil

import pytest
from ntklens.machine.locks import locked

from tests.support.repositories import Repository, copy_repository, finished_repository


@pytest.fixture
def repository(tmp_path):
    """A fresh copy without results."""
    return copy_repository(tmp_path / "repository")


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id):
    """A copy in which the smoke config has run from an empty results folder. Tests must not change it.

    Test processes that run in parallel share one: the first makes it, the others wait.
    """
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "smoke"
    with locked(folder.with_suffix(".lock")):
        if not folder.exists():
            try:
                finished_repository(folder)
            except BaseException:
                shutil.rmtree(folder)
                raise
    return Repository(folder)


@pytest.fixture
def edited(finished, tmp_path):
    """A copy of the finished repository with its results, which a test may change."""
    shutil.copytree(finished.folder, tmp_path / "edited", symlinks=True)
    return Repository(tmp_path / "edited")
