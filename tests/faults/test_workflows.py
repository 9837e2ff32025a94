"""Whole workflows where they may be started: two at once, in odd folders, under odd environments."""

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from tests.support.repositories import copy_repository

SUBSET = "results/smoke/subsets/digits.h5"
RUN = "results/smoke/runs/noise-scaling/digits/dense/removed-0/seeds-0-0.h5"
# What a shell, Snakemake or Python could take for something else.
NAME = """it's "a" $(touch pwned) `id` [b] \\ Θ;&* #%\n"""

pytestmark = pytest.mark.slow


def started(repository, *arguments):
    command = ["snakemake", "--configfile", "config/smoke.yaml", "--cores", "1", *arguments]
    return subprocess.Popen(
        command,
        cwd=repository.folder,
        env=repository.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


def same(repository, finished, name):
    return (repository / name).read_bytes() == (finished / name).read_bytes()


def test_the_second_workflow_in_a_folder_says_that_it_is_locked(repository, finished):
    with started(repository, "--", SUBSET) as first:
        locks = repository / ".snakemake/locks"
        while not (locks.is_dir() and any(locks.iterdir())):
            assert first.poll() is None, first.stdout.read()
            time.sleep(0.01)
        second = repository.snakemake("--", SUBSET)
        output, _ = first.communicate(timeout=300)
    assert second.returncode != 0
    assert "Directory cannot be locked" in second.stdout + second.stderr
    assert str(repository.folder) in second.stdout + second.stderr
    assert first.returncode == 0, output
    assert same(repository, finished, SUBSET)


def test_jobs_of_two_workflows_share_compiled_programs_and_temporary_folder(commands, tmp_path):
    def train(name):
        return commands.call("train", tmp_path / name, NTKLENS_COMPILATION_CACHE=str(tmp_path / "programs"))

    with ThreadPoolExecutor(2) as executor:
        both = list(executor.map(train, ["one", "other"]))
    for ended in both:
        commands.assert_same("train", ended)


@pytest.mark.parametrize("locale", ["C", "POSIX", "de_DE.ISO-8859-1"])
def test_odd_folders_and_locales_change_no_byte(tmp_path, finished, locale):
    """Without UTF-8; a locale that this machine lacks is C in effect."""
    repository = copy_repository(tmp_path / NAME)
    name = RUN if locale == "C" else SUBSET
    repository.environment |= {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    result = repository.snakemake("--", name)
    assert result.returncode == 0, result.stdout + result.stderr
    assert same(repository, finished, name)
    assert not [path for path in (tmp_path, repository.folder) if (path / "pwned").exists()]


def test_odd_folder_of_data_is_taken_as_it_is(repository, tmp_path):
    folder = tmp_path / NAME.strip()
    folder.mkdir()
    path = repository / "config/smoke.yaml"
    config = {**yaml.safe_load(path.read_text(encoding="utf-8")), "data_dir": str(folder)}
    config["studies"]["model-scaling"][0]["dataset"] = "mnist"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    result = repository.snakemake("--", "results/datasets/mnist.h5")
    assert result.returncode != 0
    log = (repository / "results/datasets/logs/mnist.log").read_text(encoding="utf-8")
    assert f"neither {folder} nor its folder mnist has train-images" in log
    assert "Traceback" not in log
    assert not list(repository.folder.glob("pwned"))
