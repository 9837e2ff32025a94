import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ntklens.storage.files import read_json, sha256, whole_file, write_changed_json, write_json

WORKFLOW = Path(__file__).parents[2] / "workflow"


def write_then_fail(path, error):
    with whole_file(path) as temporary:
        temporary.write_text("half", encoding="utf-8")
        raise error


def test_block_that_ends_well_leaves_the_file_alone_in_its_folder(tmp_path):
    path = tmp_path / "new" / "folder" / "out.txt"
    with whole_file(path) as temporary:
        temporary.write_text("all of it", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "all of it"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt("stop")])
def test_block_that_raises_leaves_nothing_behind(tmp_path, error):
    with pytest.raises(type(error), match=str(error)):
        write_then_fail(tmp_path / "out.txt", error)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("named", "found"), [(None, "{path}"), ("input.txt", "input.txt")])
def test_error_of_a_full_disk_names_the_file(tmp_path, named, found):
    """A failed write in Python raises an error without a file name. An error that names a file keeps it."""
    path = tmp_path / "out.txt"
    with pytest.raises(OSError, match="No space left") as caught:
        write_then_fail(path, OSError(errno.ENOSPC, "No space left on device", named))
    assert caught.value.filename == found.format(path=path)


def test_block_that_raises_keeps_the_old_file(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(ValueError, match="no"):
        write_then_fail(path, ValueError("no"))
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_old_file_stays_until_the_block_ends(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("old", encoding="utf-8")
    with whole_file(path) as temporary:
        temporary.write_text("new", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == "old"
    assert path.read_text(encoding="utf-8") == "new"


def test_killed_process_leaves_nothing_under_the_name(tmp_path):
    path = tmp_path / "out.txt"
    code = (
        "import os, signal, sys\n"
        "from ntklens.storage.files import whole_file\n"
        "with whole_file(sys.argv[1]) as temporary:\n"
        "    temporary.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(WORKFLOW)}
    result = subprocess.run([sys.executable, "-c", code, str(path)], env=environment)
    assert result.returncode == -9
    assert not path.exists()


def test_temporary_path_keeps_folder_and_suffix(tmp_path):
    with whole_file(tmp_path / "figure.pdf") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".pdf"


def test_permissions_follow_the_umask(tmp_path):
    old = os.umask(0o027)
    try:
        with whole_file(tmp_path / "out.txt"):
            pass
        assert (tmp_path / "out.txt").stat().st_mode & 0o777 == 0o640
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(old)


def test_json_round_trip(tmp_path):
    content = {"rates": [0.001, 2], "none": None, "χ": {"deep": True}}
    write_json(tmp_path / "out.json", content)
    assert read_json(tmp_path / "out.json") == content


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_json_with_a_number_that_is_not_finite_raises_and_keeps_the_old_file(tmp_path, number):
    path = tmp_path / "out.json"
    write_json(path, {"rate": 1.0})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"rate": [1.0, number]})
    assert read_json(path) == {"rate": 1.0}
    assert list(tmp_path.iterdir()) == [path]


def test_sha256_of_a_known_file(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(tmp_path / "abc") == known


def test_unchanged_content_leaves_the_file_alone(tmp_path):
    path = tmp_path / "record.json"
    write_changed_json(path, {"a": 1})
    os.utime(path, (1, 1))
    write_changed_json(path, {"a": 1})
    assert path.stat().st_mtime == 1
    write_changed_json(path, {"a": 2})
    assert read_json(path) == {"a": 2}
    assert path.stat().st_mtime > 1
