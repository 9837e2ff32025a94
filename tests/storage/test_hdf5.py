import subprocess
import sys
import textwrap

import h5py
import numpy as np
import pytest
from ntklens.storage.hdf5 import (
    ContentError,
    add_attributes,
    add_dataset,
    add_group,
    get_dataset,
    get_group,
    groups_in,
    new_file,
    read_array,
    read_arrays,
    read_attribute,
    read_json_attribute,
    read_text,
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out.h5"


def write_then_fail(path):
    with new_file(path, "half") as file:
        add_dataset(file, "values", [1, 2], "two numbers")
        raise ValueError("no")


def test_file_and_group_say_what_they_hold(path):
    with new_file(path, "a whole file") as file:
        add_group(file, "part", "one part of it")
    with h5py.File(path) as file:
        assert file.attrs["description"] == "a whole file"
        assert file["part"].attrs["description"] == "one part of it"


def test_block_that_raises_leaves_nothing_behind(path):
    with pytest.raises(ValueError, match="no"):
        write_then_fail(path)
    assert list(path.parent.iterdir()) == []


def test_block_that_raises_keeps_the_old_file(path):
    with new_file(path, "old"):
        pass
    with pytest.raises(ValueError, match="no"):
        write_then_fail(path)
    with h5py.File(path) as file:
        assert file.attrs["description"] == "old"


def test_full_disk_is_an_ordinary_error_that_names_the_file(path):
    """A limit on file size stands for the full disk. HDF5's library would abort the process."""
    program = f"""
        import resource
        import numpy as np
        from ntklens.storage.hdf5 import add_dataset, new_file

        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
        try:
            with new_file({str(path)!r}, "too much") as file:
                add_dataset(file, "values", np.random.default_rng(0).random(300_000), "many numbers")
        except OSError as error:
            print(error)
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, encoding="utf-8"
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"[Errno 27] File too large: '{path}'\n"
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    "values",
    [
        np.array([[1.5, np.nan], [-np.inf, 0]], dtype=np.float32),
        np.arange(300, dtype=np.uint8),
        np.array([7], dtype=np.int32),
        np.zeros((0, 3)),
        np.float64(0.1),
        12,
        [1, 2, 3],
    ],
    ids=["matrix", "bytes", "one", "empty", "scalar", "int", "list"],
)
def test_values_come_back_with_shape_and_type(path, values):
    with new_file(path, "a file") as file:
        add_dataset(file, "values", values, "some values")
    with h5py.File(path) as file:
        stored = file["values"][()]
        assert stored.dtype == np.asarray(values).dtype
        assert np.shape(stored) == np.shape(values)
        np.testing.assert_array_equal(stored, values)


def test_only_what_is_large_is_compressed(path):
    with new_file(path, "a file") as file:
        assert add_dataset(file, "array", np.zeros(1000), "zeros").compression == "gzip"
        assert add_dataset(file, "small", np.zeros(100), "zeros").compression is None
        assert add_dataset(file, "scalar", 3.0, "a number").compression is None
        assert add_dataset(file, "empty", np.zeros(0), "nothing").compression is None


def test_units_are_kept_and_are_one_unless_told(path):
    with new_file(path, "a file") as file:
        add_dataset(file, "epoch", [0, 1], "updates made so far", "epoch")
        add_dataset(file, "share", [0.5, 1], "a share")
    with h5py.File(path) as file:
        assert dict(file["epoch"].attrs) == {"description": "updates made so far", "units": "epoch"}
        assert dict(file["share"].attrs) == {"description": "a share", "units": "1"}


@pytest.fixture
def content(path):
    """A file with a group, an array and a number in it, and attributes at the root."""
    with new_file(path, "a file") as file:
        part = add_group(file, "part", "a group")
        add_dataset(part, "array", [1, 2], "two numbers")
        add_dataset(part, "number", 3.0, "a number")
        add_attributes(file, {"width": 8, "settings": {"scale": 8}, "nothing": h5py.Empty("f")})
    with h5py.File(path) as file:
        yield file


def test_what_was_stored_is_read(content):
    assert list(groups_in(content)) == ["part"]
    part = get_group(content, "part")
    assert (groups_in(part), list(read_arrays(part))) == ({}, ["array", "number"])
    assert read_array(part, "array").tolist() == read_array(content, "part/array").tolist() == [1, 2]
    assert read_array(part, "number").shape == ()
    assert float(read_array(part, "number")) == 3
    assert read_text(get_dataset(part, "array"), "units") == "1"
    assert (read_attribute(content, "width"), read_json_attribute(content, "settings")) == (8, {"scale": 8})


@pytest.mark.parametrize(
    ("read", "where", "name", "complaint"),
    [
        (get_group, "part", "nowhere", "/part has no group 'nowhere'"),
        (get_group, "part", "array", "/part has no group 'array'"),
        (get_dataset, "/", "part", "/ has no dataset 'part'"),
        (read_array, "part", "nowhere", "/part has no dataset 'nowhere'"),
        (read_attribute, "part", "scale", "/part has no attribute 'scale'"),
        (read_attribute, "/", "nothing", "/ has no attribute 'nothing'"),
        (read_text, "/", "width", "/: attribute 'width' is .*8.*, not a string"),
        (read_json_attribute, "/", "description", "/: attribute 'description' is not JSON"),
    ],
)
def test_missing_or_other_content_raises_and_names_file_and_place(content, read, where, name, complaint):
    with pytest.raises(ContentError, match=rf"out\.h5: {complaint}"):
        read(get_group(content, where), name)
