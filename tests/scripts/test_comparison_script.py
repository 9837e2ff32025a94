"""The script of the table of claims, where there is nothing to compare."""

import pytest
from ntklens.analysis.settings import ComparisonSettings
from ntklens.storage.settings import as_json

from workflow.scripts import comparison


def test_without_a_study_of_the_paper_the_script_says_so(tmp_path):
    settings = as_json(ComparisonSettings(name="own", curves=()))
    arguments = ["--averages", "--settings", settings, "--out", str(tmp_path / "table.csv")]
    with pytest.raises(SystemExit, match="the config has none of the paper's studies"):
        comparison.main(["--claims", "config/claims.yaml", *arguments])
    assert not list(tmp_path.iterdir())
