"""The command lines of figures 5, 6 and 8, on small files made by hand."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.unit.test_figures import curve_files
from workflow.scripts import figure_5, figure_6, figure_8

SETTINGS = [["model-scaling", "digits"], ["data-scaling", "digits"]]
SCRIPTS = {"5": figure_5, "6": figure_6, "8": figure_8}


def arguments(number, folder, settings=SETTINGS):
    """What the rule passes, and the files among it."""
    ensembles, rates = zip(*(curve_files(folder, study) for study, _ in SETTINGS), strict=True)
    given = {"--ensembles": ensembles}
    if number == "5":
        given["--adaptation-rates"] = rates
    options = [word for option, files in given.items() for word in (option, *files)]
    out = ["--settings", json.dumps(settings), "--out", str(folder / "figure.pdf")]
    return options + out, [path for files in given.values() for path in files]


@pytest.mark.parametrize("number", SCRIPTS)
def test_the_figure_is_drawn_with_its_numbers_and_their_origin(number, tmp_path):
    command, inputs = arguments(number, tmp_path)
    SCRIPTS[number].main(command)
    content = json.loads((tmp_path / "figure.json").read_text())
    assert content["figure"] == number
    assert content["fits"] == []
    assert {panel["study"] for panel in content["panels"]} == {"model-scaling", "data-scaling"}
    assert all(panel["dataset"] == "digits" and panel["series"] for panel in content["panels"])
    assert content["provenance"]["inputs"] == {
        path: hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in inputs
    }
    for suffix in ("pdf", "png"):
        assert (tmp_path / f"figure.{suffix}").stat().st_size > 10_000


@pytest.mark.parametrize("number", SCRIPTS)
def test_as_many_files_as_curves_are_asked_for(number, tmp_path):
    command, _ = arguments(number, tmp_path, settings=SETTINGS[:1])
    with pytest.raises(ValueError, match="zip"):
        SCRIPTS[number].main(command)
    assert not (tmp_path / "figure.pdf").exists()


def test_figure_5_asks_for_adaptation_rates_and_the_others_refuse_them(tmp_path, capsys):
    with_rates, _ = arguments("5", tmp_path)
    without_rates, _ = arguments("6", tmp_path)
    for script, command in ((figure_5, without_rates), (figure_6, with_rates), (figure_8, with_rates)):
        with pytest.raises(SystemExit):
            script.main(command)
        assert "--adaptation-rates" in capsys.readouterr().err
