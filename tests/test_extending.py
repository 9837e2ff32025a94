"""docs/extending.md works: its edits fit the code, its tests pass, and its config runs."""

import json
import re
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.repositories import ROOT, Repository, copy_repository

PAGE = ROOT / "docs" / "extending.md"
CLOSED_FORMS = """
from ntklens.planning.config import load
from ntklens.planning.settings import infinite_width_settings
from ntklens.storage.curve import Curve

entry = {"dataset": "digits", "networks": ["relu", "tanh"], "widths": [8], "calibrate_at": [8]}
networks = {name: {"hidden_layers": 2, "activation": name} for name in ("relu", "tanh")}
config = load({"name": "a", "networks": networks, "studies": {"model-scaling": [entry]}})
for name in networks:
    print(infinite_width_settings(config, Curve("model-scaling", "digits", name)) is None)
"""


class Block(NamedTuple):
    """A block of the page: the file that the sentence before it names last, and what it holds."""

    path: str
    language: str
    text: str


def named_blocks() -> list[Block]:
    """Every block but those of the shell."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.findall(r"`([\w./-]+)`:\n\n```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert len(found) == len(re.findall(r"^```(?:python|diff|yaml)$", text, re.MULTILINE))
    return [Block(*block) for block in found]


def edited(text: str, difference: str) -> str:
    """``text`` with the one place that has the old lines of ``difference`` replaced by its new ones."""
    lines = difference.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if line[0] in " -")
    new = "".join(line[1:] for line in lines if line[0] in " +")
    assert text.count(old) == 1, old
    return text.replace(old, new)


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A copy of the repository with the page's edits and files."""
    repository = copy_repository(tmp_path_factory.mktemp("extended") / "repository")
    for path, language, text in named_blocks():
        place = repository / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if language == "diff":  # of code, which is copied, or of a test, which is not
            before = place if place.exists() else ROOT / path
            text = edited(before.read_text(encoding="utf-8"), text)
        place.write_text(text, encoding="utf-8")
    return repository


def python(repository: Repository, *arguments: str | Path) -> str:
    """What Python prints with the code of ``repository``."""
    result = repository.run(sys.executable, *arguments, PYTHONPATH=str(repository / "workflow"))
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_tests_of_the_page_pass(extended: Repository) -> None:
    names = {block.path for block in named_blocks() if block.path.startswith("tests/")}
    assert len(names) == 3
    python(extended, "-m", "pytest", "-q", "-p", "no:cacheprovider", *sorted(names))


def test_config_of_the_page_plans_its_jobs_and_is_in_the_schema(extended: Repository) -> None:
    python(extended, "-m", "ntklens.planning.config")
    schema = json.loads((extended / "workflow/schemas/config.schema.json").read_text(encoding="utf-8"))
    definitions = schema["$defs"]
    assert "kernel_size" in definitions["OwnStudyEntry"]["properties"]["axis"]["enum"]
    assert "rmsprop" in definitions["RecipeSection"]["properties"]["optimizer"]["enum"]
    assert definitions["Network"]["properties"]["activation"]["enum"] == ["relu", "tanh"]
    jobs = extended.jobs(config="extended.yaml")
    assert (jobs["train"], jobs["figure_kernel_scaling_epochs"]) == (2 * 3, 1)
    too_large = (extended / "extended.yaml").read_text(encoding="utf-8").replace("[1, 3, 5]", "[1, 9]")
    (extended / "large.yaml").write_text(too_large, encoding="utf-8")
    result = extended.snakemake("-n", config="large.yaml")
    assert "a kernel of 9 pixels is larger than the images' 8" in result.stdout + result.stderr


def test_closed_forms_are_of_relu_alone(extended: Repository) -> None:
    assert python(extended, "-c", CLOSED_FORMS).split() == ["False", "True"]


@pytest.mark.slow
def test_config_of_the_page_runs(extended: Repository) -> None:
    result = extended.snakemake(config="extended.yaml")
    assert result.returncode == 0, result.stdout + result.stderr
    figure = extended / "results/extended/figures/figure-kernel-scaling-epochs.json"
    content = json.loads(figure.read_text(encoding="utf-8"))
    assert {series["label"] for panel in content["panels"] for series in panel["series"]}
    assert extended.jobs(config="extended.yaml") == {}
