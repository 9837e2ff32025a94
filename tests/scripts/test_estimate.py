"""The estimate's script: its text and its JSON."""

import json

import pytest

pytest.importorskip("ntklens.figures.catalogue")
from workflow.scripts import estimate

SMOKE = str(estimate.ROOT / "config/smoke.yaml")


def test_text_and_json_hold_the_same_numbers(tmp_path, capsys):
    file = tmp_path / "costs.json"
    estimate.main(["--config", SMOKE, "--json", str(file)])
    content, text = json.loads(file.read_text(encoding="utf-8")), capsys.readouterr().out
    jobs = content["total"]["jobs"] + sum(content["jobs_after_training"].values())
    assert f"total {jobs}" in " ".join(text.split())
    for key in content["figures"]:
        assert f"figure {key} " in text


def test_the_papers_config_is_the_default(capsys):
    estimate.main([])
    assert "config 'paper'" in capsys.readouterr().out


def test_a_wrong_config_is_one_line(tmp_path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("name: wrong\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="estimate: the config lacks the key studies"):
        estimate.main(["--config", str(wrong)])
