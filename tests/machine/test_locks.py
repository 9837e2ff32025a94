import os

import pytest
from ntklens.machine import locks


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_folder_is_for_its_user_alone(temporary):
    folder = locks.user_folder()
    assert folder.parent == temporary
    assert folder.stat().st_mode & 0o777 == 0o700
    assert locks.user_folder() == folder


def test_folder_of_another_user_is_refused(temporary, monkeypatch):
    folder = locks.user_folder()
    somebody = os.getuid() + 1
    folder.rename(temporary / f"ntk-lens-{somebody}")
    monkeypatch.setattr("os.getuid", lambda: somebody)
    with pytest.raises(PermissionError, match="another user's"):
        locks.user_folder()


def test_link_to_a_folder_is_refused(temporary):
    (temporary / "elsewhere").mkdir()
    (temporary / f"ntk-lens-{os.getuid()}").symlink_to(temporary / "elsewhere")
    with pytest.raises(PermissionError):
        locks.user_folder()


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_folder_that_others_may_change_is_refused(temporary, mode):
    folder = locks.user_folder()
    folder.chmod(mode)
    with pytest.raises(PermissionError, match=f"may be changed by other users .mode {mode:o}.: remove it"):
        locks.user_folder()


@pytest.mark.parametrize("target", ["elsewhere", "nowhere"])
def test_link_in_place_of_the_folder_is_refused(temporary, target):
    (temporary / "elsewhere").mkdir()
    (temporary / f"ntk-lens-{os.getuid()}").symlink_to(temporary / target)
    with pytest.raises(PermissionError, match="is a link or a file, not a folder: remove it"):
        locks.user_folder()
    assert not (temporary / "nowhere").exists()


def test_file_in_place_of_the_folder_is_refused(temporary):
    (temporary / f"ntk-lens-{os.getuid()}").write_text("no folder", encoding="utf-8")
    with pytest.raises(PermissionError, match="not a folder"):
        locks.user_folder()


def test_lock_does_not_follow_a_link(tmp_path):
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic link"):
        locks.lock(tmp_path / "lock")
    assert not (tmp_path / "elsewhere").exists()


def test_lock_does_not_wait_for_the_other_end_of_a_fifo(tmp_path):
    os.mkfifo(tmp_path / "lock")
    os.close(locks.lock(tmp_path / "lock"))


def test_lock_has_one_holder(tmp_path):
    path = tmp_path / "lock"
    first = locks.lock(path)
    assert locks.lock(path) is None
    assert locks.lock(path, shared=True) is None
    os.close(first)
    os.close(locks.lock(path))


def test_shared_lock_has_several_holders_and_then_none_alone(tmp_path):
    path = tmp_path / "lock"
    holders = [locks.lock(path, shared=True) for _ in range(2)]
    assert locks.lock(path) is None
    for holder in holders:
        os.close(holder)
    os.close(locks.lock(path))


def test_locked_block_excludes_others_and_ends_with_an_error_too(tmp_path):
    path = tmp_path / "lock"
    with pytest.raises(KeyError), locks.locked(path):  # noqa: PT012
        assert locks.lock(path) is None
        raise KeyError
    os.close(locks.lock(path))
