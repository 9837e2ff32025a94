"""The gallery of a finished smoke run."""

import pytest

from tests.support.repositories import shared_repository


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id):
    """A copy of the repository in which the smoke config has run. Tests must not change it."""
    return shared_repository(tmp_path_factory.getbasetemp(), worker_id)


@pytest.fixture(scope="session")
def gallery(finished):
    """The path of the page."""
    return finished / "results/smoke/gallery.html"
