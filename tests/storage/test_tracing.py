"""The chain behind a figure is followed to the dataset, and every broken link is named."""

import shutil
from pathlib import Path

import pytest
from ntklens.storage.files import sha256
from ntklens.storage.hdf5 import add_dataset
from ntklens.storage.provenance import provenance
from ntklens.storage.records import new_record, write_record
from ntklens.storage.sealing import write_sealed_json
from ntklens.storage.tracing import chain_of, report, summary

from tests.support.commands import ntklens

WORKFLOW = Path(__file__).parents[2] / "workflow"
CURVE = {"study": "deep", "dataset": "digits", "network": "dense"}
FIGURE = "results/small/figures/figure-3.json"


def write_hdf5(path, kind, settings, sources, value=1.0, **more):
    with new_record(path, kind, {**provenance(kind, settings, sources, ["numpy"]), **more}) as file:
        add_dataset(file, "value", value, "a number")


@pytest.fixture
def figure(tmp_path, monkeypatch):
    """A figure of one curve of two runs, in a folder that is the present one."""
    monkeypatch.chdir(tmp_path)
    dataset, subset = "results/datasets/digits.h5", "results/small/subsets/digits.h5"
    write_hdf5(dataset, "dataset", {"dataset": "digits"}, [], inputs={"digits.csv.gz": "ff" * 32})
    write_hdf5(subset, "subset", {"dataset": "digits", "split_seed": 0}, [dataset])
    runs = [f"results/small/runs/depth-{depth}/seeds-0-1.h5" for depth in (2, 3)]
    for depth, path in zip((2, 3), runs, strict=True):
        write_hdf5(path, "run", {"curve": CURVE, "scale": depth, "subset": "ab" * 32}, [subset])
    averages, laws = "results/small/averages/dense.h5", "results/small/fits/power-laws.json"
    write_hdf5(averages, "averages", {"curve": CURVE}, runs)
    write_record(laws, {"slope": 1.0}, provenance("power laws", {"curve": CURVE}, [averages], ["scipy"]))
    digest = write_record(FIGURE, {"panels": []}, provenance("figure", {"figure": "3"}, [laws, averages], []))
    Path(FIGURE).with_suffix(".png").write_bytes(b"\x89PNG " + digest.encode())
    return Path(FIGURE)


def test_the_chain_reaches_the_dataset_and_holds_each_file_once(figure):
    links = chain_of(figure)
    assert [(link.depth, link.origin["kind"]) for link in links] == [
        (0, "figure"),
        (1, "power laws"),
        (2, "averages"),
        (3, "run"),
        (4, "subset"),
        (5, "dataset"),
        (3, "run"),
    ]
    assert [link.problem for link in links] == [""] * 7
    assert summary(links) == f"{figure}: all 7 files are what they were"


@pytest.fixture
def older_fit(figure):
    """The figure's averages are made anew, and the figure from them, but not the fit that it shows too."""
    laws, averages = "results/small/fits/power-laws.json", "results/small/averages/dense.h5"
    runs = [f"results/small/runs/depth-{depth}/seeds-0-1.h5" for depth in (2, 3)]
    write_hdf5(averages, "averages", {"curve": CURVE}, runs, value=2.0)
    figure.with_suffix(".png").unlink()
    return averages, laws


@pytest.mark.parametrize("averages_first", [True, False])
def test_a_fit_from_older_averages_than_the_figure_s_is_named(figure, older_fit, averages_first):
    inputs = older_fit if averages_first else older_fit[::-1]
    write_record(figure, {"panels": []}, provenance("figure", {"figure": "3"}, inputs, []))
    links = chain_of(figure)
    averages = [link for link in links if link.path == Path(older_fit[0])]
    assert sorted(link.problem for link in averages) == [
        "",
        "it has changed since the next file was made from it",
    ]
    assert len(links) == 8  # the averages twice, and what is behind them once
    assert summary(links).startswith(f"{figure}: 1 of 7 files fail, the first is {older_fit[0]}: it has ")


def test_a_chain_ends_at_a_file_from_an_archive(figure):
    averages = Path("results/small/averages/dense.h5")
    others = {"sha256": "", "files": {"results/small/averages/other.h5": "00" * 32}}
    own = {"sha256": "", "files": {str(averages): sha256(averages)}}
    record = {"archives": {"other.zip": others, "small.zip": own}}
    write_sealed_json("results/small/restored.json", record)
    shutil.rmtree("results/small/runs")
    links = chain_of(figure)
    assert [link.origin["kind"] for link in links] == ["figure", "power laws", "averages"]
    assert [link.archive for link in links] == ["", "", "small.zip"]
    assert (
        summary(links) == f"{figure}: all 3 files are what they were; those from small.zip without their runs"
    )
    assert report(links)[2].split("  ")[-2] == "from small.zip, without its runs"


def test_a_file_of_an_archive_has_its_runs_where_they_are(figure):
    """The archive is one of the user's own results."""
    averages = Path("results/small/averages/dense.h5")
    own = {"sha256": "", "files": {str(averages): sha256(averages)}}
    write_sealed_json("results/small/restored.json", {"archives": {"small.zip": own}})
    Path("results/small/runs/depth-2/seeds-0-1.h5").unlink()
    links = chain_of(figure)
    assert len(links) == 7
    assert not any(link.archive for link in links)
    assert [link.problem for link in links if link.problem] == ["it is not there"]
    assert len(chain_of(averages)) == 5
    edit_value(Path("results/small/runs/depth-3/seeds-0-1.h5"))
    assert [link.archive for link in chain_of(figure)] == ["", "", "small.zip"]


def test_a_file_made_anew_has_its_runs_again(figure):
    own = {"sha256": "", "files": {"results/small/averages/dense.h5": "00" * 32}}
    record = {"archives": {"small.zip": own}}
    write_sealed_json("results/small/restored.json", record)
    assert len(chain_of(figure)) == 7


@pytest.mark.parametrize("suffix", [".json", ".png", ".pdf"])
def test_a_picture_stands_for_the_numbers_beside_it(figure, suffix):
    assert chain_of(figure.with_suffix(suffix)) == chain_of(figure)


def test_any_file_of_the_workflow_has_a_chain(figure):
    links = chain_of("results/small/averages/dense.h5")
    assert [link.origin["kind"] for link in links] == ["averages", "run", "subset", "dataset", "run"]
    assert not any(link.problem for link in links)


@pytest.mark.parametrize("name", ["", "/", "results", "config.yaml", "own.npz", "small.zip", "folder.h5"])
def test_what_is_no_result_is_said_to_be_none_and_may_stay(figure, name):
    Path("folder.h5").mkdir()
    for file in ("config.yaml", "own.npz", "small.zip"):
        Path(file).touch()
    (link,) = chain_of(name)
    assert link.problem == (
        "it is no result of the workflow: those are .h5 and .json files, and a figure's .pdf and .png"
    )


def test_a_file_that_is_not_there_is_said_to_be_missing(figure):
    (link,) = chain_of("no name\n.h5")
    assert link.problem == "it is not there"


def test_the_chain_is_found_from_any_folder(figure, tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    links = chain_of(tmp_path / figure)
    assert len(links) == 7
    assert not any(link.problem for link in links)


@pytest.mark.parametrize("missing", ["fits/power-laws.json", "averages/dense.h5"])
def test_a_backup_is_checked_by_its_own_files(figure, tmp_path, missing):
    """From the folder that it is a backup of, too, which has files of the same names."""
    shutil.copytree("results", "backup/results")
    Path("backup/results/small", missing).unlink()
    for backup in (Path("backup"), tmp_path / "backup"):
        links = chain_of(backup / figure)
        assert [link.path for link in links if link.problem] == [backup / "results/small" / missing]
        assert all(link.path.is_relative_to(backup) for link in links)


def test_a_link_to_a_figure_is_checked_where_it_lies_or_else_where_it_leads(figure, tmp_path, monkeypatch):
    (tmp_path / "desk").mkdir()
    (tmp_path / "desk/figure.json").symlink_to(tmp_path / figure)
    monkeypatch.chdir("/")
    links = chain_of(tmp_path / "desk/figure.json")
    assert len(links) == 7
    assert not any(link.problem for link in links)


def test_a_figure_that_lies_alone_is_checked_by_the_present_folder(figure, tmp_path_factory):
    alone = tmp_path_factory.mktemp("alone") / "figure-3.json"
    shutil.copy(figure, alone)
    links = chain_of(alone)
    assert [str(link.path) for link in links[1:3]] == [
        "results/small/fits/power-laws.json",
        "results/small/averages/dense.h5",
    ]


def test_the_report_names_all_that_determines_the_figure(figure):
    lines = report(chain_of(figure))
    assert lines[0] == f"{figure}: figure of 3"
    run = "results/small/runs/depth-2/seeds-0-1.h5: run of deep/digits/dense at scale 2  sha256 "
    assert lines[3].startswith(f"      {run}")
    text = "\n".join(lines)
    assert f"  digits: digits.csv.gz {'ff' * 32}" in text
    assert "\n    scale: 2, 3\n" in text
    assert "numpy " in text
    assert "scipy " in text
    assert "ab" * 32 not in text


def edit_value(path):
    """Another whole file, with another number."""
    write_hdf5(path, "run", {"curve": CURVE, "scale": 3, "subset": "ab" * 32}, [], value=2.0)


def flip(path):
    content = bytearray(path.read_bytes())
    content[700] ^= 4
    path.write_bytes(content)


def edit_json(path):
    path.write_text(path.read_text(encoding="utf-8").replace("1.0", "1.5"), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        ("runs/depth-3/seeds-0-1.h5", edit_value, "it has changed since the next file was made from it"),
        ("runs/depth-3/seeds-0-1.h5", flip, "is damaged"),
        ("runs/depth-3/seeds-0-1.h5", Path.unlink, "it is not there"),
        ("subsets/digits.h5", Path.unlink, "it is not there"),
        ("fits/power-laws.json", edit_json, "is damaged"),
        ("figures/figure-3.json", lambda path: path.write_bytes(b"{"), "is damaged"),
        ("figures/figure-3.png", lambda path: path.write_bytes(b"PNG"), "was drawn from other numbers"),
    ],
)
def test_a_broken_link_is_named(figure, name, change, problem):
    change(Path("results/small") / name)
    broken = [link for link in chain_of(figure) if link.problem]
    assert len(broken) == 1
    assert problem in broken[0].problem
    assert str(broken[0].path) in summary(chain_of(figure))
    assert problem in summary(chain_of(figure))


def test_settings_that_are_not_those_of_their_digest_are_named(figure):
    origin = {**provenance("figure", {"figure": "3"}, [], []), "settings": {"figure": "4"}}
    write_record(figure, {"panels": []}, origin)
    figure.with_suffix(".png").unlink()
    assert chain_of(figure)[0].problem == "its settings are not those of their digest"


def test_the_command_prints_the_report_and_fails_with_the_chain(figure, tmp_path):
    shown = ntklens("trace", FIGURE, cwd=tmp_path)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.splitlines() == report(chain_of(figure))
    Path("results/small/subsets/digits.h5").unlink()
    broken = ntklens("trace", "--brief", FIGURE, "nowhere.json", cwd=tmp_path)
    assert (broken.returncode, broken.stderr) == (1, "")
    assert broken.stdout.splitlines() == [
        f"{FIGURE}: 1 of 6 files fail, the first is results/small/subsets/digits.h5: it is not there",
        "nowhere.json: 1 of 1 files fail, the first is nowhere.json: it is not there",
    ]


@pytest.mark.parametrize("content", ["[]", '"text"', "{}"])
def test_a_file_that_is_no_figure_is_said_to_be_none(tmp_path, content):
    (tmp_path / "a.json").write_text(content, encoding="utf-8")
    (link,) = chain_of(tmp_path / "a.json")
    assert "is damaged" in link.problem


def test_numbers_without_an_origin_are_no_figure(tmp_path):
    write_sealed_json(tmp_path / "a.json", {"rate": 1.0})
    (link,) = chain_of(tmp_path / "a.json")
    assert link.problem == "it does not say where it comes from"
