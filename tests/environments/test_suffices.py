"""Every rule runs in its environment, which contains only the listed packages and their dependencies."""

import http.server
import json
import re
import subprocess
import threading
from functools import partial

import pytest
from packaging.utils import canonicalize_name

from tests.support.environment_files import ENVIRONMENTS, LOCKS, OWN_LOCK, ROOT, packages, pins, rules

RULES = rules(path.read_text(encoding="utf-8") for path in sorted((ROOT / "workflow/rules").glob("*.smk")))
# The smoke config has no second draw of training samples and takes nothing from an archive. The environment
# is that of the other analyses; tests/workflow/test_environments.py compares the scripts' imports with it.
NOT_RUN = {"restore", "variance_components"}
# Only conda can make "train-cuda": it is "train" with the CUDA build of jaxlib.
MADE = sorted(set(ENVIRONMENTS) - {"train-cuda"})

DISTRIBUTIONS = """
import json
from importlib.metadata import distributions
print(json.dumps({found.name: found.version for found in distributions()}))
"""
DOWNLOAD = """
import sys
from pathlib import Path
from ntklens.data.download import download
print(download([sys.argv[1]], Path(sys.argv[2]), Path.read_text))
"""


def run(workflow, name, code, *arguments):
    """The output of ``code``, run by the Python of the environment ``name``."""
    command = [workflow.python_of(name), "-c", code, *map(str, arguments)]
    variables = {**workflow.variables, "PYTHONPATH": str(workflow / "workflow")}
    return subprocess.run(command, env=variables, stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout


def test_environments_are_made_without_running_a_job(prepared):
    assert [name for name in MADE if prepared.python_of(name) is None] == []
    # The records of code are made when jobs are planned.
    files = [path for path in (prepared / "results").rglob("*") if path.is_file()]
    assert {path.parts[-3] for path in files} <= {"code"}


@pytest.mark.parametrize("name", MADE)
def test_environment_holds_versions_of_its_lock_and_nothing_else(prepared, name):
    found = json.loads(run(prepared, name, DISTRIBUTIONS))
    # Where a file lists pip, venv installs it, perhaps with setuptools.
    tools = {"pip", "setuptools"} if "pip" in packages(ENVIRONMENTS[name]) else set()
    held = {canonicalize_name(package): version for package, version in found.items() if package not in tools}
    locked = pins(OWN_LOCK.get(name, LOCKS[0]), packages(ENVIRONMENTS[name])["python"].version)
    assert held.items() <= locked.items()
    assert held.keys().isdisjoint({"snakemake", "pytest", "tensorflow"})


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.name not in NOT_RUN], ids=lambda rule: rule.name
)
def test_rule_runs(finished, rule):
    own = rf"{rule.name}(?:_\d)?"  # a loop makes the figures' rules: figure_1, figure_2, …
    assert not re.search(rf"^Error in rule {own}:", finished.output, re.MULTILINE), finished.output
    assert re.search(rf"^(?:local)?rule {own}:", finished.output, re.MULTILINE), finished.output


def test_everything_is_there(finished):
    assert finished.snakemake("--dry-run")[1].count("Nothing to be done") == 1, finished.output


def test_data_environment_can_download(prepared, tmp_path):
    (tmp_path / "served").mkdir()
    (tmp_path / "served/file").write_text("content", encoding="utf-8")
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path / "served")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/file"
        printed = run(prepared, "data", DOWNLOAD, address, tmp_path / "target")
        server.shutdown()
    assert printed == "content\n"


def test_missing_package_is_found(finished, copy):
    doctored = copy(of=finished)
    path = doctored / "envs/analysis.yaml"
    text = re.sub(r" *- scipy.*\n", "", path.read_text(encoding="utf-8"))
    assert text != path.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    transition = "results/smoke/fits/model-scaling/digits/three-layer/transition.json"
    succeeded, output = doctored.snakemake("--force", targets=[transition])
    assert not succeeded
    assert "No module named 'scipy'" in output


def test_gpus_have_an_environment_of_their_own(prepared):
    succeeded, output = prepared.snakemake("--dry-run", "--config", "device=gpu")
    assert succeeded, output
    made = re.findall(r"Conda environment .*envs/([\w-]+)\.yaml will be created", output)
    assert made == ["train-cuda"]


def test_another_device_reruns_nothing(finished):
    succeeded, output = finished.snakemake("--dry-run", "--config", "device=gpu")
    assert succeeded, output
    assert "Nothing to be done" in output
