"""`make estimate` counts the jobs of a dry run, rule by rule. test_documents.py compares two more configs."""

from tests.support.estimated_jobs import estimated_jobs
from tests.support.repositories import ROOT, Repository
from tests.workflow.test_smoke import JOBS

ALL = {"all": 1}  # which a repository's `jobs` leaves out


def test_smoke_config_has_the_jobs_of_its_dry_run() -> None:
    assert estimated_jobs(ROOT / "config/smoke.yaml") == JOBS | ALL


def test_config_of_own_studies_on_several_draws_has_the_jobs_of_its_dry_run(repository: Repository) -> None:
    path = "config/variance.yaml"
    assert estimated_jobs(repository / path) == repository.jobs(config=path) | ALL


def test_figure_alone_has_the_jobs_of_its_dry_run(repository: Repository) -> None:
    assert estimated_jobs(repository / "config/smoke.yaml", "9") == repository.jobs("--", "figure_9")
