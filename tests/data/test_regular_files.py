"""What is no regular file is refused before it is opened."""

import os
import socket

import pytest
from ntklens.data.dataset_files import Place, read_files
from ntklens.data.errors import DatasetError
from ntklens.data.npz_headers import npz_contents
from ntklens.data.npz_images import load_npz
from ntklens.data.published import MNIST
from ntklens.data.regular_files import check_regular, is_folder, is_regular

NO_NAMES = ["a\0b", "x" * 5000]


def made(folder, kind):
    """The path of something of this ``kind``."""
    path = folder / "own.npz"
    if kind == "a FIFO":
        os.mkfifo(path)
    elif kind == "a socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(os.path.relpath(path))  # its name may have a hundred bytes
    elif kind == "a folder":
        path.mkdir()
    elif kind == "a device":
        path.symlink_to("/dev/zero")
    else:
        path.symlink_to(path)
    return path


@pytest.mark.parametrize("read", [check_regular, load_npz, npz_contents])
@pytest.mark.parametrize("kind", ["a FIFO", "a socket", "a folder", "a device"])
def test_other_kinds_of_files_raise_and_are_named(tmp_path, read, kind, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DatasetError, match=rf"own\.npz is {kind}, not a regular file: give a file's path"):
        read(made(tmp_path, kind))


@pytest.mark.parametrize("read", [load_npz, npz_contents])
def test_link_to_itself_raises(tmp_path, read):
    with pytest.raises(DatasetError, match=r"own\.npz cannot be opened .*: correct its path"):
        read(made(tmp_path, "a loop"))


@pytest.mark.parametrize("name", NO_NAMES, ids=["NUL", "long"])
@pytest.mark.parametrize("read", [load_npz, npz_contents])
def test_what_can_be_no_file_s_name_raises(tmp_path, read, name):
    with pytest.raises(DatasetError, match="cannot be opened") as caught:
        read(tmp_path / name)
    assert str(caught.value).isprintable()
    assert not is_regular(tmp_path / name)
    assert not is_folder(tmp_path / name)


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_file_without_permission_raises(tmp_path):
    (tmp_path / "own.npz").touch(0o000)
    with pytest.raises(DatasetError, match="may not be read by this user"):
        check_regular(tmp_path / "own.npz")


@pytest.mark.parametrize("name", ["a\nb.npz", "a\udc80.npz", "a\x1b[31m.npz"])
def test_message_about_an_odd_name_is_one_line(tmp_path, name):
    with pytest.raises(DatasetError, match=r"does not exist: correct") as caught:
        load_npz(tmp_path / name)
    assert str(caught.value).isprintable()
    assert repr(name)[1:-1] in str(caught.value)


@pytest.mark.parametrize("kind", ["a FIFO", "a folder", "a device", "a loop"])
def test_other_kinds_of_files_are_no_dataset_s(tmp_path, kind):
    for name in MNIST.digests:
        made(tmp_path, kind).rename(tmp_path / name)
    with pytest.raises(DatasetError, match=r"has train-images-idx3-ubyte or .*: put it there"):
        read_files([MNIST], Place(tmp_path))


@pytest.mark.parametrize("data_dir", [*NO_NAMES, "x\ny", "\udc80", "/dev/null"], ids=repr)
def test_what_is_no_folder_raises(data_dir):
    with pytest.raises(DatasetError, match=r"the folder .* does not exist") as caught:
        read_files([MNIST], Place(data_dir))
    assert str(caught.value).isprintable()


def test_home_of_nobody_raises():
    with pytest.raises(DatasetError, match=r"the home that data_dir ~nobody\.here/x starts in is unknown"):
        read_files([MNIST], Place("~nobody.here/x"))
