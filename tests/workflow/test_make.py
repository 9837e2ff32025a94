"""The calls of Snakemake that `make` makes: what a user gives does not become a part of another option."""

import shlex
import subprocess

import pytest

from tests.support.repositories import ROOT

TARGETS = ("demo", "gallery", "variance", "robustness", "archive", "published")
TAKE_SEVERAL_WORDS = ("--config", "--configfile")


def call_of_snakemake(target, *variables):
    """The words of the call, from a dry run of make."""
    command = ["make", "--no-print-directory", "-n", target, *variables]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.replace("\\\n", " ").splitlines()
    (call,) = (line for line in lines if line.startswith(".venv/bin/snakemake"))
    return shlex.split(call)


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_of_the_user_s_stays_one(target):
    words = call_of_snakemake(target, "SNAKEMAKE_ARGS=figure_4")
    assert not set(TAKE_SEVERAL_WORDS) & set(words[: words.index("figure_4")])


@pytest.mark.parametrize("target", ["robustness", "archive"])
def test_a_config_may_lie_in_a_folder_of_any_name(target):
    assert call_of_snakemake(target, "CONFIG=my data/own.yaml")[-1] == "my data/own.yaml"


def test_the_command_that_the_demo_offers_makes_its_page():
    words = call_of_snakemake("gallery", "SNAKEMAKE_ARGS=--configfile config/demo.yaml")
    assert words[1:] == ["gallery", "--configfile", "config/demo.yaml"]
