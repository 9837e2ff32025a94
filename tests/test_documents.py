"""The pages, CITATION.cff and the CI workflow agree with the code and with one another."""

import csv
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import ntklens
import numpy as np
import pytest
import yaml
from ntklens.analysis.claims import claims_from
from ntklens.planning.archives import check_archive, config_in
from ntklens.planning.config import load
from ntklens.storage.archives import read_file, read_manifest
from ntklens.storage.run_writer import write_run

from tests.support.estimated_jobs import estimated_jobs
from tests.support.origins import origin
from tests.support.pages import blocks, trajectory

ROOT = Path(__file__).resolve().parents[1]
README, CONTRIBUTING = (ROOT / name for name in ("README.md", "CONTRIBUTING.md"))
ENGINE, ARCHITECTURE, TUTORIAL = (
    ROOT / "docs" / name for name in ("engine.md", "architecture.md", "tutorial.md")
)
CONFIG_PAGE = ROOT / "config" / "README.md"
PAGES = (
    README,
    CONTRIBUTING,
    ROOT / "results" / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
)
ARCHIVES = sorted((ROOT / "published").glob("*.zip"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
# A version that actions are pinned to.
ACTION = re.compile(r"[\w-]+/[\w-]+@v\d+")


def read_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def snakemake(*arguments: str, config: str = "config/config.yaml") -> str:
    command = [sys.executable, "-m", "snakemake", "--configfile", config, *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


# Versions and citation


def test_citation_has_what_the_format_requires() -> None:
    citation = read_yaml(ROOT / "CITATION.cff")
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] == "software"
    assert citation["license"] == "MIT"
    assert all(citation[key] for key in ("message", "title", "authors"))


def test_versions_agree() -> None:
    citation = read_yaml(ROOT / "CITATION.cff")
    released = re.findall(
        r"^## \[(\d+\.\d+\.\d+)\] - (\S+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert (citation["version"], str(citation["date-released"])) == released[0]
    assert citation["version"] == ntklens.__version__


def test_readme_and_citation_name_the_same_paper() -> None:
    (paper,) = read_yaml(ROOT / "CITATION.cff")["references"]
    (bibtex,) = blocks(README, "bibtex")
    fields = dict(re.findall(r"(\w+) += \{(.*)\}", bibtex))
    names = [f"{author['family-names']}, {author['given-names']}" for author in paper["authors"]]
    assert fields["author"].split(" and ") == names
    assert fields["title"].replace("{NTK}", "NTK") == paper["title"]
    assert (fields["journal"], fields["doi"]) == (paper["journal"], paper["doi"])
    assert (fields["volume"], fields["pages"], fields["year"]) == (
        str(paper["volume"]),
        paper["start"],
        str(paper["year"]),
    )
    assert fields["note"] == paper["identifiers"][0]["value"]


def test_license_is_the_one_that_is_named() -> None:
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License\n")


# Commands


def commands_named_in(path: Path) -> set[str]:
    """The make targets that a page calls in its code, or a CI workflow in its steps."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".yml":
        code = re.findall(r"^[^#\n]*", text, re.MULTILINE)
    else:
        code = re.findall(r"^```\w*\n(.*?)^```$|`([^`\n]+)`", text, re.DOTALL | re.MULTILINE)
        code = ["".join(parts) for parts in code]
    calls = re.findall(r"\bmake((?: [a-z-]+)+)(?![\w=./-])", "\n".join(code))
    return {target for call in calls for target in call.split()}


def make_targets() -> set[str]:
    return set(
        re.findall(r"^([a-z][a-z-]*):(?!=)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )


@pytest.mark.parametrize("path", [*PAGES, *WORKFLOWS], ids=lambda path: path.name)
def test_make_targets_exist(path: Path) -> None:
    assert commands_named_in(path) <= make_targets()


def test_pages_name_targets_at_all() -> None:
    assert {"figures", "test", "setup", "estimate"} <= commands_named_in(README)
    assert {"setup", "test", "test-all", "lint", "coverage"} <= commands_named_in(CONTRIBUTING)
    named = set().union(*map(commands_named_in, WORKFLOWS))
    assert {"lint", "test", "test-slurm", "test-envs"} <= named


@pytest.mark.parametrize("path", PAGES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_links_lead_somewhere(path: Path) -> None:
    for target, anchor in re.findall(
        r"\]\((?!https?:)([^)#\s]*)(#[^)\s]*)?\)", path.read_text(encoding="utf-8")
    ):
        page = (path.parent / target).resolve() if target else path
        assert page.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor[1:] in slugs, target + anchor


@pytest.mark.parametrize("path", [CONTRIBUTING, README], ids=lambda path: path.name)
def test_paths_that_a_page_names_exist(path: Path) -> None:
    named = re.findall(
        r"`((?:workflow|tests|config|docs|envs|profiles|benchmarks)/[\w./-]+)`",
        path.read_text(encoding="utf-8"),
    )
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


# CI


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_ci_has_least_permissions_and_pinned_actions(path: Path) -> None:
    workflow = read_yaml(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["cancel-in-progress"] is True
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 60
        used = [step["uses"] for step in job["steps"] if "uses" in step]
        assert used
        assert all(ACTION.fullmatch(action) for action in used)


def test_ci_tests_the_versions_of_python_that_the_readme_names() -> None:
    jobs = read_yaml(ROOT / ".github/workflows/ci.yml")["jobs"]
    assert jobs["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    assert "Python 3.11 to 3.13" in README.read_text(encoding="utf-8")
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.findall(r"Programming Language :: Python :: (3\.\d+)", pyproject) == ["3.11", "3.12", "3.13"]


def test_pre_commit_hooks_come_from_the_environment() -> None:
    (repository,) = read_yaml(ROOT / ".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        assert hook["language"] == "system"
        assert hook["entry"].startswith(".venv/bin/")


def test_workflow_catalog_finds_what_its_standard_asks_for() -> None:
    usage = read_yaml(ROOT / ".snakemake-workflow-catalog.yml")["usage"]
    assert usage["software-stack-deployment"] == {
        "conda": True,
        "apptainer": False,
        "apptainer+conda": False,
        "report": True,
    }
    assert set(usage["mandatory-flags"]) == {"desc", "flags"}
    assert all((ROOT / name).is_file() for name in ("workflow/Snakefile", "config/README.md"))


# What the README says of the workflow


def mermaid_edges(graph: str) -> set[tuple[str, str]]:
    """(from, to) for all pairs of rules; a box may name several."""
    boxes = {box: label.strip('"').split(", ") for box, label in re.findall(r"(\w+)\[([^\]]+)\]", graph)}
    arrows = re.findall(r"(\w+) --> (\w+)", graph)
    return {(tail, head) for start, end in arrows for tail in boxes[start] for head in boxes[end]}


def test_readme_shows_the_rules_and_edges_that_snakemake_has() -> None:
    (shown,) = blocks(README, "mermaid")
    edges = mermaid_edges(snakemake("--rulegraph", "mermaid-js"))
    asked_for = ("comparison", "gallery")
    wanted = {(rule, "all") for rule, _ in edges if rule.startswith("figure_") or rule in asked_for}
    assert wanted < edges
    assert mermaid_edges(shown) == edges - wanted


def printed_by(script: str) -> str:
    """What a script in docs/ prints."""
    command = [sys.executable, f"docs/{script}"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True).stdout


def test_scripts_make_the_graphs_of_the_pages() -> None:
    rules, packages = printed_by("rule-graph.py"), printed_by("package-graph.py")
    assert [rules] == blocks(README, "mermaid")
    assert [rules, packages] == blocks(ARCHITECTURE, "mermaid")


# Results


def test_readme_has_the_table_of_claims_that_the_results_give() -> None:
    table = printed_by("claims-table.py")
    assert f"<!-- claims -->\n{table}<!-- end of claims -->\n" in README.read_text(encoding="utf-8")
    assert table.count("\n") > 10


def test_page_of_what_holds_has_every_claim_and_the_tables_that_the_results_give() -> None:
    page = (ROOT / "docs" / "what-holds.md").read_text(encoding="utf-8")
    assert printed_by("what-holds.py") == page
    claims = claims_from(read_yaml(ROOT / "config" / "claims.yaml"))
    assert sorted(re.findall(r"<!-- claim: ([a-z-]+) -->", page)) == sorted(claim.id for claim in claims)


def test_published_archives_are_listed() -> None:
    table = printed_by("published.py")
    page = (ROOT / "published" / "README.md").read_text(encoding="utf-8")
    assert f"<!-- archives -->\n{table}<!-- end of archives -->\n" in page
    assert table.count("\n") == 2 + len(ARCHIVES)


@pytest.mark.parametrize("path", ARCHIVES, ids=lambda path: path.stem)
def test_published_archive_holds_what_its_config_asks_for(path: Path) -> None:
    """A change of settings or of the archive's format would make it useless."""
    check_archive(load({**config_in(path), "precomputed": str(path)}))
    manifest = read_manifest(path)
    for name in manifest.files:
        read_file(manifest, name)
    assert path.stat().st_size <= 10e6


def test_make_published_names_archives_that_hold_all_of_its_config() -> None:
    recipe = (
        (ROOT / "Makefile").read_text(encoding="utf-8").partition("\npublished: ")[2].partition("\n\n")[0]
    )
    (config,) = re.findall(r"--configfile (\S+)", recipe)
    (archives,) = re.findall(r"precomputed=\[\$\$\(echo (\S+) \| tr ' ' ,\)\]", recipe)
    paths = sorted(ROOT.glob(archives))
    assert len(paths) > 1
    check_archive(load({**read_yaml(ROOT / config), "precomputed": [str(path) for path in paths]}))


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("claims-*.csv")), ids=lambda path: path.stem)
def test_results_in_docs_are_of_the_present_claims(path: Path) -> None:
    claims = {claim.id: claim for claim in claims_from(read_yaml(ROOT / "config" / "claims.yaml"))}
    rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
    assert {row["id"] for row in rows} == set(claims)
    assert all(row["claim"] == claims[row["id"]].says for row in rows)
    assert all(row["paper"] == claims[row["id"]].range_in_words for row in rows)


class Jobs(NamedTuple):
    """What a config would run: all jobs, those that calibrate and train, and the networks trained."""

    total: int
    calibrations: int
    training: int
    networks: int


def jobs_of(config: str) -> Jobs:
    shown = snakemake("-n", "--forceall", config=config)
    counts = {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", shown, re.MULTILINE)}
    assert {**estimated_jobs(ROOT / config), "total": counts["total"]} == counts
    batches = re.findall(r"^rule train:$.*?first=(\d+), last=(\d+)$", shown, re.DOTALL | re.MULTILINE)
    assert len(batches) == counts["train"]
    networks = sum(int(last) - int(first) + 1 for first, last in batches)
    return Jobs(counts["total"], counts["calibrate"], counts["train"], networks)


def numbers(text: str, pattern: str) -> list[int]:
    """The numbers in the one place of ``text`` that ``pattern`` finds."""
    (found,) = re.findall(pattern, text)
    return [int(number) for number in found]


def test_readme_counts_the_jobs_of_the_default_config() -> None:
    jobs = jobs_of("config/config.yaml")
    pattern = (
        r"(\d+) jobs; (\d+) of them train: (\d+) look for learning rates, and (\d+) train the (\d+) networks"
    )
    assert numbers(README.read_text(encoding="utf-8"), pattern) == [
        jobs.total,
        jobs.calibrations + jobs.training,
        jobs.calibrations,
        jobs.training,
        jobs.networks,
    ]
    assert f"trains {jobs.networks} networks" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_readme_counts_the_jobs_of_the_paper_s_config() -> None:
    jobs = jobs_of("config/paper.yaml")
    pattern = r"in (\d+) jobs \((\d+)\s+calibrations, (\d+) training jobs for (\d+) networks\)"
    assert numbers(README.read_text(encoding="utf-8"), pattern) == [
        jobs.calibrations + jobs.training,
        jobs.calibrations,
        jobs.training,
        jobs.networks,
    ]
    assert f"{jobs.total} jobs in all" in README.read_text(encoding="utf-8")


# Examples


def example(path: Path, words: str) -> str:
    """The one Python block of a page that has ``words`` in it."""
    (block,) = [block for block in blocks(path, "python") if words in block]
    return block


@pytest.mark.parametrize("page", [README, CONFIG_PAGE], ids=lambda page: page.parent.name)
def test_every_config_is_listed(page: Path) -> None:
    listed = re.findall(r"^\| `([\w-]+\.yaml)` \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    shipped = {path.name for path in (ROOT / "config").glob("*.yaml")} - {"claims.yaml"}
    assert sorted(listed) == sorted(shipped)


@pytest.mark.parametrize("path", [README, CONTRIBUTING], ids=lambda path: path.name)
def test_example_of_a_study_is_a_config(path: Path, tmp_path: Path) -> None:
    (example,) = [block for block in blocks(path, "yaml") if "studies:" in block]
    config = tmp_path / "own.yaml"
    config.write_text(f"name: own\n{example.replace('name: depth', '')}", encoding="utf-8")
    assert "figure_depth_scaling_laws" in snakemake("-n", config=str(config))


def test_smallest_config_is_five_lines_and_all_else_has_a_default(tmp_path: Path) -> None:
    (smallest,) = [block for block in blocks(CONFIG_PAGE, "yaml") if "name: quick" in block]
    assert len(smallest.splitlines()) == 5
    assert smallest in blocks(TUTORIAL, "yaml")
    config = tmp_path / "quick.yaml"
    config.write_text(smallest, encoding="utf-8")
    shown = snakemake("-n", config=str(config))
    assert {"calibrate", "train", "figure_3", "gallery"} <= set(
        re.findall(r"^(\w+) +\d+$", shown, re.MULTILINE)
    )
    training = load(read_yaml(config)).training
    assert (training.max_epochs, training.trace_every) == (300, 1)  # what the page says of this window
    assert (len(training.spectrum_epochs), training.spectrum_epochs[-1]) == (12, 65)


def test_example_of_the_engine_runs() -> None:
    found: dict[str, Any] = {}
    exec(example(README, "ntk_trace(model, params, x)"), found)
    assert found["theta"].shape == (48, 48)
    np.testing.assert_allclose(found["trace"], np.trace(found["theta"]), rtol=1e-5)
    assert 1 < found["rank"] < 48
    np.testing.assert_allclose(sum(layer.trace for layer in found["layers"]), found["trace"], rtol=1e-5)


def test_example_of_bound_arguments_runs() -> None:
    found: dict[str, Any] = {}
    exec(example(README, "ntk_trace(model, params, x)"), found)
    exec(
        "class WithTrain(nn.Module):\n"
        "    @nn.compact\n"
        "    def __call__(self, x, train):\n"
        "        return nn.Dense(3)(nn.Dropout(0.5, deterministic=not train)(x))\n"
        "model = WithTrain()\n"
        "params = model.init(jax.random.key(0), x, train=False)\n",
        found,
    )
    exec(example(ENGINE, "class Evaluated"), found)


def test_example_of_reading_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = example(README, "read_run(")
    (path,) = re.findall(r'"(results/\S+)"', code)
    (tmp_path / path).parent.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / path, [trajectory(seed) for seed in range(5)], origin("run"))
    exec(code, {})
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:4] for line in lines] == [[str(seed), "ok", "3", "0.75"] for seed in range(5)]
