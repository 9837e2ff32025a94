"""The workflow runs in another folder than its own, and as a module of another workflow."""

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import pytest
import yaml
from ntklens.storage.files import sha256
from ntklens.storage.import_closure import code_sha256
from ntklens.storage.records import origin_of

from tests.support.repositories import ROOT, Repository, copy_repository
from tests.workflow.test_smoke import JOBS

RUN = "results/smoke/runs/noise-scaling/digits/dense/removed-0/seeds-0-0.h5"
SUBSET = "results/smoke/subsets/digits.h5"
PARENT = """\
configfile: "own.yaml"


module lens:
    snakefile:
        {snakefile}
    config:
        config["lens"]


use rule * from lens as lens_*


rule environment:
    default_target: True
    input:
        "{target}",
    output:
        "environment.txt",
    shell:
        "(echo PYTHONPATH $PYTHONPATH; set -o | grep 'errexit\\\\|nounset\\\\|pipefail') > {{output}}"
"""


# A git that can do all but check out.
FAILING_GIT = """#!/bin/sh
case "$*" in
*checkout*) echo "fatal: no space left" >&2; exit 128 ;;
*) exec {} "$@" ;;
esac
"""

# Prints the files of ntklens that importing the modules of the command line loads.
LOADED = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(*[module.__file__ for name, module in sys.modules.items() if name.startswith("ntklens")], sep="\\n")
"""


@pytest.fixture
def elsewhere(tmp_path):
    """An empty folder with an odd name, to run the workflow in."""
    folder = tmp_path / "an odd {folder}"
    folder.mkdir()
    return Repository(folder)


def write_parent(folder, snakefile, target=RUN):
    """A workflow that uses ours as a module, with a part of its config, and has a rule of its own."""
    text = PARENT.format(snakefile=snakefile, target=target)
    (folder / "Snakefile").write_text(text, encoding="utf-8")
    lens = yaml.safe_load((ROOT / "config/smoke.yaml").read_text(encoding="utf-8"))
    (folder / "own.yaml").write_text(yaml.safe_dump({"lens": lens, "own": 1}), encoding="utf-8")


def module_of(repository, *statements):
    """The Snakefile of a workflow that has nothing but ours as a module."""
    snakefile = f"snakefile: {str(repository / 'workflow/Snakefile')!r}"
    lines = "".join(f"    {line}\n" for line in (snakefile, *statements))
    return f"module lens:\n{lines}\n\nuse rule * from lens\n"


def call(repository, *arguments, **variables):
    result = repository.run("snakemake", "--cores", "2", *arguments, **variables)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def refusal(repository, text):
    """What Snakemake says of the Snakefile with this ``text``."""
    (repository / "Snakefile").write_text(text, encoding="utf-8")
    result = repository.run("snakemake", "-n")
    assert result.returncode != 0
    assert "Traceback" not in result.stdout + result.stderr
    return result.stdout + result.stderr


def files_of(repository):
    """What a folder holds, apart from what Python compiles."""
    paths = [path for path in repository.folder.rglob("*") if path.is_file()]
    return {path: sha256(path) for path in paths if "__pycache__" not in path.parts}


# Another folder


def test_every_job_runs_in_another_folder(repository, elsewhere):
    before = files_of(repository)
    assert repository.jobs("--directory", str(elsewhere.folder)) == JOBS
    assert files_of(repository) == before


def test_jobs_in_another_folder_make_there_what_they_make_at_home(finished, repository, elsewhere):
    """Jobs that read claims, captions, parts of pages and configs, which lie with the workflow."""
    shutil.copytree(finished / "results", elsewhere / "results")
    made = [Path("gallery.html")]
    made += [Path(f"tables/paper-comparison.{suffix}") for suffix in ("csv", "md", "html")]
    for name in made:
        (elsewhere / "results/smoke" / name).unlink()
    before = files_of(repository)
    call(
        elsewhere,
        *("--snakefile", str(repository / "Snakefile")),
        *("--configfile", str(repository / "config/smoke.yaml")),
        *("--rerun-triggers", "mtime"),  # the copies have no records
        *("--", "gallery"),
    )
    assert files_of(repository) == before
    for name in made:
        here, home = (folder / "results/smoke" / name for folder in (elsewhere, finished))
        assert here.read_bytes() == home.read_bytes(), name


def packages_imported_by(path):
    """The packages, of neither Python nor this project, that a module imports when it is imported."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    names = {alias.name for node in body if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in body if isinstance(node, ast.ImportFrom)}
    return {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"ntklens"}


def test_packages_that_reading_the_rules_takes_are_named(repository, elsewhere):
    rules = [path.read_text(encoding="utf-8") for path in (repository / "workflow/rules").glob("*.smk")]
    names = re.findall(r"^(?:from|import) (ntklens\S*)", "".join(rules), re.MULTILINE)
    found = repository.run(sys.executable, "-c", LOADED, *names, PYTHONPATH="workflow").stdout.splitlines()
    (listed,) = re.findall(r"^PACKAGES = (\(.*\))$", "".join(rules), re.MULTILINE)
    needed = set().union(*(packages_imported_by(repository / path) for path in found))
    assert set(ast.literal_eval(listed)) == needed - {"pydantic_core"}  # a part of pydantic
    lacking = f"import sys\nsys.modules['h5py'] = None\n{module_of(repository)}"
    assert "lacks h5py: install" in refusal(elsewhere, lacking)


# A module


def test_module_trains_and_leaves_the_other_workflow_its_environment(repository, elsewhere):
    write_parent(elsewhere.folder, repr(str(repository / "workflow/Snakefile")))
    wanted = elsewhere.jobs("lens_all", config="own.yaml")
    assert wanted == {**{f"lens_{rule}": count for rule, count in JOBS.items()}, "lens_all": 1}
    before = files_of(repository)
    call(elsewhere, PYTHONPATH="/of/the/parent")
    assert files_of(repository) == before
    with h5py.File(elsewhere / RUN) as file:
        script, *modules = json.loads(file.attrs["code_roots"])
        made_by = file.attrs["code_sha256"]
    assert made_by == code_sha256(ROOT / "workflow/scripts" / script, *modules)
    (record,) = (elsewhere / "results/smoke/code/train").glob("*-dense-removed-0.json")
    digests = json.loads(record.read_text(encoding="utf-8"))
    assert {"scripts/train.py", "ntklens/training/mini_batch.py"} < set(digests)
    assert all(sha256(repository / "workflow" / name) == digest for name, digest in digests.items())
    first, *options = (elsewhere / "environment.txt").read_text(encoding="utf-8").splitlines()
    assert first == f"PYTHONPATH {repository / 'workflow'}:/of/the/parent"
    assert [line.split()[1] for line in options] == ["on", "on", "on"]


def test_module_without_a_config_has_that_of_the_folder_or_the_workflow_s(repository, elsewhere):
    (elsewhere / "Snakefile").write_text(module_of(repository), encoding="utf-8")
    assert "results/laptop/figures/figure-2.pdf" in call(elsewhere, "-n", "figure_2", "--config", "own=1")
    (elsewhere / "config").mkdir()
    shutil.copy(repository / "config/smoke.yaml", elsewhere / "config/config.yaml")
    assert "results/smoke/figures/figure-2.pdf" in call(elsewhere, "-n", "figure_2")


@pytest.mark.parametrize(
    ("before", "statement", "said"),
    [
        ("", 'prefix: "sub"', "takes no prefix"),
        ("", 'config: {"name": "own", "sizes": 3}', "sizes"),
        ("import ntklens", "config: {}", "needs its own ntklens"),
    ],
)
def test_module_that_cannot_work_is_refused_in_a_sentence(repository, elsewhere, before, statement, said):
    snakefile = repository / "workflow/Snakefile"
    text = (
        f"{before}\nmodule lens:\n    snakefile: {str(snakefile)!r}\n    {statement}\nuse rule * from lens\n"
    )
    assert said in refusal(elsewhere, text)


def git(repository, *arguments):
    own = ("-c", "user.name=name", "-c", "user.email=name@example.org", "-c", "init.defaultBranch=main")
    command = ["git", "-C", str(repository.folder), *own, *arguments]
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout.strip()


def commit_as(repository, tag):
    git(repository, "add", "--all")
    git(repository, "commit", "--message", tag)
    git(repository, "tag", tag)
    return git(repository, "rev-parse", "HEAD")


def test_module_from_a_git_host(tmp_path):
    """As the workflow catalog has it; a new version reruns what it changes."""
    (tmp_path / "mine").mkdir()
    mine = Repository(tmp_path / "mine")
    host = copy_repository(tmp_path / "host")
    git(host, "init")
    first = commit_as(host, "v1")
    variables = {
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{host.folder.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/someone/ntk-lens",
    }
    source = 'github("someone/ntk-lens", path="workflow/Snakefile", tag="{}")'
    write_parent(mine.folder, source.format("v1"), target=SUBSET)
    call(mine, **variables)
    assert origin_of(mine / SUBSET)["commit"] == first
    style = host / "workflow/ntklens/figures/style.py"
    style.write_text(style.read_text(encoding="utf-8") + "# edited\n", encoding="utf-8")
    second = commit_as(host, "v2")
    write_parent(mine.folder, source.format("v2"), target=SUBSET)
    assert "Nothing to be done" in call(mine, "-n", **variables)
    assert git(mine, "--git-dir=.snakemake/ntk-lens/.git", "rev-parse", "HEAD") == second
    # What a call that was killed between cloning and checking out had left.
    checkout = mine / ".snakemake/ntk-lens"
    shutil.rmtree(checkout / "workflow")
    killed = subprocess.Popen(["true"])
    killed.wait()
    # Another call that lives, here the first process of the machine, keeps what it is cloning.
    for process in (killed.pid, 1):
        (mine / f".snakemake/ntk-lens.partial-{process}").mkdir()
    assert "Nothing to be done" in call(mine, "-n", **variables)
    assert (checkout / "workflow/Snakefile").is_file()
    left = sorted(path.name for path in (mine / ".snakemake").glob("ntk-lens*"))
    assert left == ["ntk-lens", "ntk-lens.partial-1"]
    # Where it cannot be made.
    shutil.rmtree(checkout)
    (mine / "programs").mkdir()
    failing = mine / "programs/git"
    failing.write_text(FAILING_GIT.format(shutil.which("git")), encoding="utf-8")
    failing.chmod(0o755)
    variables["PATH"] = f"{failing.parent}:{mine.environment['PATH']}"
    result = mine.run("snakemake", "-n", **variables)
    assert result.returncode != 0
    assert f"git cannot check out commit {second} of ntk-lens" in result.stdout + result.stderr
    assert "no space left" in result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr
