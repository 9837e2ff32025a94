"""The estimate's script: its text and its JSON."""

import json
from pathlib import Path

import pytest
import yaml

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


def test_a_config_in_json_is_read_as_snakemake_reads_it(tmp_path, capsys):
    estimate.main(["--config", SMOKE])
    of_yaml = capsys.readouterr().out
    text = json.dumps(yaml.safe_load(Path(SMOKE).read_text(encoding="utf-8")), indent="\t")
    (tmp_path / "smoke.json").write_text(text, encoding="utf-8")
    estimate.main(["--config", str(tmp_path / "smoke.json")])
    assert capsys.readouterr().out == of_yaml


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"dense": []}', b"\xff"])
def test_wrong_unit_costs_are_one_line(tmp_path, content):
    wrong = tmp_path / "wrong.json"
    wrong.write_bytes(content)
    with pytest.raises(SystemExit, match=r"^estimate: .*wrong\.json is no file of unit costs"):
        estimate.main(["--config", SMOKE, "--unit-costs", str(wrong)])


def test_json_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match=r"^estimate: .*file"):
        estimate.main(["--config", SMOKE, "--json", str(tmp_path / "file" / "costs.json")])
