"""Copies of the repository, for real Snakemake runs in them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from ntklens.machine.locks import locked

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("Snakefile", "Makefile", "requirements.lock", "workflow", "config", "envs", "profiles")


class Repository:
    """A copy of the repository, with what it takes to run the workflow there."""

    def __init__(self, folder):
        self.folder = folder
        executables = str(Path(sys.executable).parent)
        # Tests read what Snakemake says, unless they are about the view of the progress.
        self.environment = {
            **os.environ,
            "PATH": f"{executables}{os.pathsep}{os.environ['PATH']}",
            "SNAKEMAKE_LOGGER_NTKLENS_VIEW": "snakemake",
        }

    def __truediv__(self, name):
        return self.folder / name

    def run(self, *command, **variables):
        environment = {**self.environment, **variables}
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, encoding="utf-8"
        )

    def snakemake(self, *arguments, config="config/smoke.yaml"):
        return self.run("snakemake", "--configfile", config, *arguments)

    def jobs(self, *arguments, config="config/smoke.yaml"):
        """The rules that a dry run would execute, with the number of jobs of each."""
        result = self.snakemake("-n", *arguments, config=config)
        assert result.returncode == 0, result.stdout + result.stderr
        text = result.stdout + result.stderr
        table = re.search(r"Job stats:\n.*\n-+ +-+\n((?:\w+ +\d+\n)+)", text)
        jobs = dict(line.split() for line in table[1].splitlines()) if table else {}
        return {rule: int(count) for rule, count in jobs.items() if rule not in ("all", "total")}


def copy_repository(folder):
    """A fresh copy without results."""
    folder.mkdir()
    for name in PARTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)
    return Repository(folder)


def finished_repository(folder):
    """A copy in which the smoke config has run from an empty results folder, with its ``output``."""
    repository = copy_repository(folder)
    result = repository.snakemake()
    assert result.returncode == 0, result.stdout + result.stderr
    repository.output = result.stdout + result.stderr
    return repository


def shared_repository(base, worker):
    """The `finished_repository` of this test session, whose folder is ``base``, for the process ``worker``.

    Test processes that run in parallel share one: the first makes it, the others wait. No test may change it.
    """
    folder = (base if worker == "master" else base.parent) / "smoke"
    with locked(folder.with_suffix(".lock")):
        if not folder.exists():
            try:
                finished_repository(folder)
            except BaseException:
                shutil.rmtree(folder)
                raise
    return Repository(folder)
