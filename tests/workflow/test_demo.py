"""`make demo` makes figures 1 to 3, and says where they lie and what to try next."""

import re
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.repositories import ROOT


@pytest.fixture
def prepared(repository):
    """A fresh copy whose environment make takes as set up; its programs are empty."""
    programs = repository / ".venv/bin"
    programs.mkdir(parents=True)
    for name in ("python", "snakemake"):
        write_program(programs / name, "exit 0")
    (repository / ".venv/ready").touch()
    for variable in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
        repository.environment.pop(variable, None)
    return repository


def write_program(path, line):
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(0o755)


def pictures_in(repository):
    """Stand-ins for what the demo draws."""
    folder = repository / "results/demo/figures"
    folder.mkdir(parents=True)
    paths = [folder / f"figure-{number}.png" for number in (1, 2, 3)]
    for path in paths:
        path.touch()
    return [path.relative_to(repository.folder).as_posix() for path in paths]


def test_demo_draws_figures_1_to_3_of_its_config(prepared):
    snakemake = Path(sys.executable).parent / "snakemake"
    write_program(prepared / ".venv/bin/snakemake", f'exec "{snakemake}" "$@"')
    result = prepared.run("make", "demo", "SNAKEMAKE_ARGS=-n")
    assert result.returncode == 0, result.stdout + result.stderr
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", result.stdout + result.stderr, re.MULTILINE))
    assert {rule for rule in jobs if rule.startswith("figure_")} == {"figure_1", "figure_2", "figure_3"}
    assert {"gallery", "comparison", "ends", "all"}.isdisjoint(jobs)
    studies = yaml.safe_load((ROOT / "config/demo.yaml").read_text(encoding="utf-8"))["studies"]
    points = [*studies["model-scaling"][0]["widths"], *studies["data-scaling"][0]["sizes"]]
    assert int(jobs["train"]) == len(points)  # a job for each point trains all its seeds
    assert "What to try next" not in result.stdout  # nothing was drawn


def test_demo_names_its_pictures_and_what_to_try_next(prepared):
    pictures = pictures_in(prepared)
    result = prepared.run("make", "demo")
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.findall(r"^  (results/\S+\.png) ", result.stdout, re.MULTILINE) == pictures
    offered = result.stdout.split("What to try next:\n")[1]
    assert "make figures" in offered
    assert "make gallery SNAKEMAKE_ARGS='--configfile config/demo.yaml'" in offered
    named = re.findall(r"\b(?:docs|config)/[\w./-]+\w", result.stdout)
    assert {"docs/tutorial.md", "config/README.md"} < set(named)
    for name in named:
        assert (ROOT / name).is_file(), name


def test_demo_that_fails_says_no_more(prepared):
    pictures_in(prepared)
    write_program(prepared / ".venv/bin/snakemake", "exit 1")
    result = prepared.run("make", "demo")
    assert result.returncode != 0
    assert "What to try next" not in result.stdout
