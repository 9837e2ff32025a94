"""The estimate's script: its text and its JSON."""

import json

import estimate
import pytest
import yaml
from ntklens import studies
from ntklens.config import complete

CONFIGS = sorted((estimate.ROOT / "config").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_study_and_figure_has_a_row(path, capsys):
    config = complete(yaml.safe_load(path.read_text()))
    estimate.main(["--config", str(path)])
    text = capsys.readouterr().out
    rows = [line.split() for line in text.splitlines()]
    for curve in studies.curves(config):
        assert any(row[:2] == [curve.study, curve.dataset] for row in rows)
    for number in range(1, 9):
        assert any(row[:2] == ["figure", str(number)] for row in rows)
    assert "assumed, not measured" in text
    assert all(len(line) <= 130 for line in text.splitlines())


def test_the_papers_config_is_the_default(capsys):
    estimate.main([])
    assert "config 'paper'" in capsys.readouterr().out


def test_json_holds_the_same_numbers(tmp_path, capsys):
    file = tmp_path / "costs.json"
    estimate.main(["--config", str(estimate.ROOT / "config/smoke.yaml"), "--json", str(file)])
    content = json.loads(file.read_text())
    assert content["total"]["jobs"] == len(content["jobs"]) == sum(one["jobs"] for one in content["studies"])
    assert set(content["figures"]) == {str(number) for number in range(1, 9)}
    assert f"total {content['total']['jobs']}" in " ".join(capsys.readouterr().out.split())


def test_a_wrong_config_is_one_line(tmp_path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("name: wrong\n")
    with pytest.raises(SystemExit, match="estimate: the config lacks the key studies"):
        estimate.main(["--config", str(wrong)])


@pytest.mark.parametrize(
    ("count", "text"), [(10, "10 B"), (999.4e3, "999 kB"), (999.6e3, "1 MB"), (4.25e9, "4.2 GB")]
)
def test_sizes(count, text):
    assert estimate.size(count) == text


@pytest.mark.parametrize(("seconds", "text"), [(36, "0.01"), (5400, "1.5"), (360000, "100")])
def test_hours(seconds, text):
    assert estimate.hours(seconds) == text
