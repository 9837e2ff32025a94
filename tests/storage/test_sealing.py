"""Every change of a file is found before the file is read."""

import json
import os
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ntklens.storage.errors import DamagedFileError, FileError
from ntklens.storage.hdf5 import add_dataset, new_file, read_array, whole_hdf5
from ntklens.storage.sealing import (
    BLOCK,
    check_hdf5,
    is_sealed,
    read_sealed_json,
    require_regular,
    write_sealed_json,
)

CONTENT = {"rate": 0.1, "scales": [8, 16], "none": None, "name": "Θ"}


@pytest.fixture
def hdf5(tmp_path):
    path = tmp_path / "values.h5"
    with new_file(path, "three numbers") as file:
        add_dataset(file, "values", [1.0, 2.0, 4.0], "powers of two")
        file.attrs["scale"] = 8
    return path


def test_a_whole_file_is_read(hdf5):
    with whole_hdf5(hdf5) as file:
        assert file.userblock_size == BLOCK
        assert read_array(file, "values").tolist() == [1, 2, 4]


def test_the_seal_is_readable_text(hdf5):
    first, second = hdf5.read_bytes()[:BLOCK].rstrip(b"\0").decode().splitlines()
    assert first == "ntk-lens 1"
    assert second.split()[0] == "sha256"
    assert len(second.split()[1]) == 64


def test_every_flipped_bit_is_found(hdf5):
    """Of one bit in each byte, in turn all eight."""
    content = hdf5.read_bytes()
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        hdf5.write_bytes(changed)
        with pytest.raises(FileError, match=r"values\.h5 is damaged"):
            check_hdf5(hdf5)


@pytest.mark.parametrize("left", [0, 1, 9, 511, 512, 513, -1])
def test_a_file_that_was_cut_is_found(hdf5, left):
    hdf5.write_bytes(hdf5.read_bytes()[:left])
    with pytest.raises(FileError, match="is damaged"):
        check_hdf5(hdf5)


def test_bytes_at_the_end_are_found(hdf5):
    hdf5.write_bytes(hdf5.read_bytes() + b"\0")
    with pytest.raises(DamagedFileError):
        check_hdf5(hdf5)


def test_a_file_that_changes_after_it_was_checked_is_checked_again(hdf5):
    check_hdf5(hdf5)
    changed = bytearray(hdf5.read_bytes())
    changed[-1] ^= 1
    hdf5.write_bytes(changed)
    with pytest.raises(DamagedFileError):
        check_hdf5(hdf5)


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(FileError, match="no regular file"):
            require_regular(path)


def test_a_file_of_another_program_is_told_apart(hdf5, tmp_path):
    assert is_sealed(hdf5)
    (tmp_path / "other.h5").write_bytes(hdf5.read_bytes()[BLOCK:])
    assert not is_sealed(tmp_path / "other.h5")
    with pytest.raises(FileError, match="this version of ntk-lens did not write it"):
        check_hdf5(tmp_path / "other.h5")


def test_json_comes_back(tmp_path):
    digest = write_sealed_json(tmp_path / "a.json", CONTENT)
    assert read_sealed_json(tmp_path / "a.json") == CONTENT
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {
        **CONTENT,
        "content_sha256": digest,
    }


def test_json_may_be_laid_out_anew(tmp_path):
    path = tmp_path / "a.json"
    write_sealed_json(path, CONTENT)
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content, sort_keys=True, indent=4), encoding="utf-8")
    assert read_sealed_json(path) == CONTENT


@given(st.data())
def test_no_change_of_a_character_of_json_changes_a_value_unnoticed(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("json") / "a.json"
    write_sealed_json(path, CONTENT)
    text = path.read_text(encoding="utf-8")
    place = data.draw(st.integers(0, len(text) - 1))
    path.write_text(
        text[:place] + data.draw(st.characters(codec="utf-8")) + text[place + 1 :], encoding="utf-8"
    )
    with suppress(DamagedFileError):
        assert read_sealed_json(path) == CONTENT


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", "[" * 100_000, '{"content_sha256": 3}', "NaN"])
def test_other_json_is_damaged(tmp_path, text):
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    with pytest.raises(DamagedFileError, match=r"a\.json is damaged"):
        read_sealed_json(tmp_path / "a.json")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_lacks_is_not_written(tmp_path, number):
    with pytest.raises(ValueError, match="JSON"):
        write_sealed_json(tmp_path / "a.json", {"rate": number})
    assert not (tmp_path / "a.json").exists()
