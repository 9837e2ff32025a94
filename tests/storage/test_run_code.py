import pytest
from ntklens.storage.averages import write_averages
from ntklens.storage.import_closure import WORKFLOW
from ntklens.storage.provenance import code_record
from ntklens.storage.records import new_record, write_record
from ntklens.storage.run_code import (
    RunCode,
    are_of_several_versions,
    as_record,
    code_of_run,
    points_by_code,
    present_code_sha256,
    run_code_of,
)

from tests.support.origins import origin

OLD, NEW = RunCode("0123abcd", "ff00"), RunCode("4567ef-modified", "00ff")
SCRIPT = WORKFLOW / "scripts/train.py"


@pytest.fixture
def run(tmp_path):
    def write(place, attributes):
        path = tmp_path / place
        path.parent.mkdir(exist_ok=True)
        with new_record(path, "a run file", {"kind": "run", **attributes}):
            pass
        return path

    return write


def test_record_is_that_of_the_present_code():
    record = code_record(SCRIPT, "ntklens.training.full_batch")
    assert record["code_roots"] == ["train.py", "ntklens.training.full_batch"]
    assert record["code_sha256"] == present_code_sha256(record["code_roots"])
    assert record["code_sha256"] != present_code_sha256(["train.py", "ntklens.training.mini_batch"])


@pytest.mark.parametrize("roots", [["gone.py"], ["train.py", "ntklens.training.gone"]])
def test_code_of_which_a_part_is_gone_is_not_the_present_one(roots):
    assert present_code_sha256(roots) is None


def test_points_are_told_apart_by_the_code_that_made_them(run):
    paths = [
        run("width-8/seeds-0-1.h5", OLD._asdict()),
        run("width-8/seeds-2-3.h5", OLD._asdict()),
        run("width-8/seeds-4-4.h5", NEW._asdict()),
        run("width-16/seeds-0-1.h5", NEW._asdict()),
    ]
    assert points_by_code(paths) == {OLD: ["width-8"], NEW: ["width-8", "width-16"]}


@pytest.mark.parametrize(
    ("roots", "several"),
    [(["train.py", "full_batch"], True), (["train.py", "full_batch_on_grid"], False)],
)
def test_versions_are_those_of_the_same_code(run, roots, several):
    """Trainers differ along a curve, and with them the digests of one version."""
    narrow = {**OLD._asdict(), "code_roots": ["train.py", "full_batch"]}
    paths = [
        run("width-8/seeds-0-1.h5", narrow),
        run("width-8/seeds-2-3.h5", narrow),
        run("width-64/seeds-0-1.h5", {**NEW._asdict(), "code_roots": roots}),
    ]
    assert are_of_several_versions(paths) == several


def test_run_file_that_does_not_say_its_code_is_unknown(run):
    assert code_of_run(run("width-8/a.h5", {"commit": "0123"})) == RunCode("0123", "unknown")


def test_averages_and_fits_pass_on_every_version_once(tmp_path):
    made_by = as_record({NEW: ["width-16"], OLD: ["width-8"]})
    write_averages(tmp_path / "curve.h5", [], origin("averages", run_code=made_by))
    write_record(tmp_path / "fit.json", {}, origin("ends", run_code=[OLD._asdict()]))
    paths = [tmp_path / "curve.h5", tmp_path / "fit.json"]
    assert run_code_of(paths) == [OLD._asdict(), NEW._asdict()]
    assert run_code_of(paths[1:]) == [OLD._asdict()]
