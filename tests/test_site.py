"""The documentation site: pages name code and tests that exist, examples run, links fit the site.

`make docs` checks what only MkDocs can: that no link, anchor or name of a module leads nowhere.
"""

import importlib.util
import re
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from ntklens.data.settings import DataSettings
from ntklens.networks.architectures import NetworkSettings
from ntklens.planning.config import load
from ntklens.storage.run_writer import write_run
from ntklens.studies.catalogue import AXES
from ntklens.studies.entries import StudyEntry
from ntklens.studies.jobs import Point

from tests.support.origins import origin
from tests.support.pages import blocks, trajectory

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
TUTORIAL = DOCS / "tutorial.md"
QUANTITIES = sorted(path for path in (DOCS / "science").glob("*.md") if path.stem != "index")
# Pages whose Python blocks run from top to bottom; test_documents.py runs those of the others.
EXAMPLES = [page for page in (TUTORIAL, *QUANTITIES) if blocks(page, "python")]
PACKAGES = sorted(path.parent.name for path in (ROOT / "workflow" / "ntklens").glob("*/__init__.py"))


def hook(name: str) -> Any:
    """A module of the site's hooks."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def facts(page: Path) -> dict[str, str]:
    """The table that a science page begins with."""
    return dict(re.findall(r"^\| (\w+) \| (.+) \|$", page.read_text(encoding="utf-8"), re.MULTILINE))


# Pages


@pytest.mark.parametrize("page", QUANTITIES, ids=lambda page: page.stem)
def test_science_page_has_its_equation_code_tests_and_a_picture(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert facts(page)["Paper"]
    modules = re.findall(r"`ntklens\.([\w.]+)`", facts(page)["Code"])
    tests = re.findall(r"`(tests/[\w/]+\.py)`", facts(page)["Tests"])
    assert modules
    assert tests
    for module in modules:
        assert (ROOT / "workflow" / "ntklens" / f"{module.replace('.', '/')}.py").is_file(), module
    for test in tests:
        assert re.search(r"^def test_", (ROOT / test).read_text(encoding="utf-8"), re.MULTILINE), test
    without_code = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert re.search(r"^    \S.*=", without_code, re.MULTILINE)  # a formula
    assert re.search(r"!\[[^\]]+\]\(\.\./figure-[\w-]+\.png\)", text)
    assert "\n## How it is tested\n" in text


def test_every_package_has_its_page_in_the_reference() -> None:
    assert sorted(path.stem for path in (DOCS / "reference").glob("*.md")) == sorted([*PACKAGES, "index"])
    for package in PACKAGES:
        assert f"::: ntklens.{package}\n" in (DOCS / "reference" / f"{package}.md").read_text(
            encoding="utf-8"
        )


# Examples


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda page: page.stem)
def test_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found: dict[str, Any] = {}
    for code in blocks(page, "python"):
        for path in re.findall(r'"(results/\S+\.h5)"', code):
            Path(path).parent.mkdir(parents=True)
            write_run(Path(path), [trajectory(seed) for seed in range(2)], origin("run"))
        exec(code, found)


def test_tutorial_s_dataset_and_config_fit_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = [block for block in blocks(TUTORIAL, "python") if "stripes.npz" in block]
    exec(code, {})
    _, first, networks, use, _ = blocks(TUTORIAL, "yaml")
    config = yaml.safe_load(first)
    assert set(load(config).networks) == {"shallow"}
    config["networks"] = yaml.safe_load(networks)["networks"]
    config["studies"]["width-scaling"][0] |= yaml.safe_load(use)
    assert set(load(config).networks) == {"shallow", "deep"}


def test_tutorial_s_axis_changes_what_it_says() -> None:
    (code,) = [block for block in blocks(TUTORIAL, "python") if "Axis(" in block]
    found: dict[str, Any] = {}
    exec(code, found)
    axis = found["FILTERS"]
    network = NetworkSettings(hidden_layers=1, width=16, convolutions=1)
    point = Point(network, DataSettings(train_samples=60, balanced=False, draw_seed=0))
    entry = StudyEntry(axis.name, "digits", ("small",), (1, 2, 4))
    assert axis.at(point, 4, entry) == replace(point, network=replace(network, filters=4))
    assert axis.name not in AXES


def test_tutorial_s_config_of_its_axis_is_right_but_for_the_axis_that_is_missing() -> None:
    config = yaml.safe_load(blocks(TUTORIAL, "yaml")[-1])
    (entry,) = config["studies"]["filter-scaling"]
    assert entry["axis"] == "filters"
    entry["axis"] = "depth"
    assert load(config).networks["small"].convolutions == 1


def commands(page: Path) -> list[str]:
    """The lines of a page's shell blocks, without comments."""
    lines = [
        line.split("  #")[0].split("   #")[0].strip()
        for code in blocks(page, "sh")
        for line in code.splitlines()
    ]
    return [line for line in lines if line]


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.stem)
def test_commands_name_what_exists(page: Path) -> None:
    """Files, scripts and subcommands; test_documents.py checks the targets of make."""
    for command in commands(page):
        for name in re.findall(r"\b(?:config|profiles|workflow|published)/[\w./-]+", command):
            assert (ROOT / name).exists() or "published/" in name, command
        for subcommand in re.findall(r"python -m ntklens (\w+)", command):
            assert f'add_parser("{subcommand}"' in (ROOT / "workflow/ntklens/__main__.py").read_text("utf-8")


# Links


@pytest.mark.parametrize(
    ("page", "written", "on_the_site"),
    [
        ("files.md", "[c](../config/README.md#networks)", "[c](config.md#networks)"),
        ("science/ntk.md", "[b](../../benchmarks/README.md)", "[b](../benchmarks.md)"),
        ("science/ntk.md", "[e](../engine.md) and [t](#tests)", "[e](../engine.md) and [t](#tests)"),
        ("index.md", "[g](https://example.org/a.md)", "[g](https://example.org/a.md)"),
        ("contributing.md", "[c](config/README.md#a) [f](docs/files.md)", "[c](config.md#a) [f](files.md)"),
        ("config.md", "[`s`](../workflow/schemas/config.schema.json)", "`s`"),
        ("benchmarks.md", "![times](results/ntk_matrix.png)", "![times](benchmarks/results/ntk_matrix.png)"),
        ("tutorial.md", "`ntklens.storage.files`", "[`ntklens.storage.files`][ntklens.storage.files]"),
        (
            "contributing.md",
            "`workflow/ntklens/data/draws.py`",
            "[`workflow/ntklens/data/draws.py`][ntklens.data.draws]",
        ),
        ("tutorial.md", "`workflow/ntklens/data/nothing.py`", "`workflow/ntklens/data/nothing.py`"),
        ("tutorial.md", "`ntklens trace`", "`ntklens trace`"),
        ("tutorial.md", "```md\n[c](../config/README.md)\n```", "```md\n[c](../config/README.md)\n```"),
    ],
)
def test_links_are_those_of_the_site(page: str, written: str, on_the_site: str) -> None:
    assert hook("site_pages").with_links_of_the_site(written, page) == on_the_site


def test_added_pages_exist() -> None:
    pages = hook("site_pages")
    assert all((ROOT / source).is_file() for source in pages.PAGES)
    assert not any((DOCS / page).exists() for page in pages.ADDED)


# Graphs

GRAPH = """flowchart LR
    start["start"]
    both["one, two"]
    start --> both
    both --> end_
    start --> end_
"""


@pytest.mark.parametrize("text", [GRAPH, *blocks(DOCS / "architecture.md", "mermaid")])
def test_graph_has_its_boxes_and_arrows_and_none_overlap(text: str) -> None:
    graphs = hook("site_graphs")
    graph = graphs.parsed(text)
    layers, paths = graphs.layers_of(graph)
    at = graphs.rectangles(graph, layers)
    assert [(path[0], path[-1]) for path in paths] == [((tail,), (head,)) for tail, head in graph.arrows]
    for path in paths:
        for place, following in pairwise(path):
            before, behind = at[place], at[following]
            if graph.to_the_right:
                assert before.x + before.width < behind.x
            else:
                assert before.y + before.height < behind.y
    for one, other in combinations(at.values(), 2):
        apart_in_x = one.x + one.width < other.x or other.x + other.width < one.x
        apart_in_y = one.y + one.height < other.y or other.y + other.height < one.y
        assert apart_in_x or apart_in_y
    picture = ElementTree.fromstring(graphs.svg(text))
    words = [element.text for element in picture.iter("text")]
    assert words == [line for label in graph.boxes.values() for line in label]
    assert len(list(picture.iter("rect"))) == len(graph.boxes)
    assert len([path for path in picture.iter("path") if path.get("class")]) == len(graph.arrows)


def test_graph_of_three_boxes() -> None:
    graph = hook("site_graphs").parsed(GRAPH)
    assert graph.to_the_right
    assert graph.boxes == {"start": ["start"], "both": ["one", "two"], "end_": ["end_"]}
    layers, _ = hook("site_graphs").layers_of(graph)
    assert [sorted(layer) for layer in layers] == [
        [("start",)],
        [("both",), ("start", "end_", "1")],
        [("end_",)],
    ]


def test_graphs_of_a_page_become_pictures_and_other_code_stays() -> None:
    page = f"# Title\n\n```mermaid\n{GRAPH}```\n\n```sh\nmake docs\n```\n"
    shown = hook("site_graphs").on_page_markdown(page)
    assert shown.startswith("# Title\n\n<div>\n<svg ")
    assert shown.endswith("</svg>\n</div>\n\n```sh\nmake docs\n```\n")
    assert (
        "\n\n" not in shown[shown.index("<div>") : shown.index("</div>")]
    )  # a blank line would end the HTML
