"""What a checkpoint keeps, when it is written, and from which ones a job does not resume."""

import json
import signal
import subprocess
import sys
import textwrap
import zipfile

import numpy as np
import pytest
from ntklens.storage.checkpoints import Checkpoint
from ntklens.storage.files import whole_file

ARRAYS = {
    "members": {
        "count": np.array(3, np.int32),
        "nothing": {},
        "weights": np.linspace(0, 1, 7, dtype=np.float32),
    },
    "flag": np.array([True, False]),
    "by columns": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "every second": np.arange(10)[::2],
    "none": np.zeros((0, 3), np.float32),
    "trace": np.float64(0.1),
}
POSITION = {"epoch": 40, "curves": {"0": [[0, {"loss": 0.1 + 0.2}], [1, {"loss": float("nan")}]]}}


class Clock:
    """A clock that a test sets."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def checkpoint(path, identity="this job", seconds=60, **options):
    return Checkpoint(path, {"settings": identity}, seconds, **options)


def assert_same(found, expected):
    assert set(found) == set(expected)
    for name, value in expected.items():
        if isinstance(value, dict):
            assert_same(found[name], value)
        else:
            assert found[name].dtype == value.dtype
            np.testing.assert_array_equal(found[name], value)


def test_what_was_saved_is_there_again(tmp_path):
    checkpoint(tmp_path / "folder" / "job.npz").save(POSITION, ARRAYS)
    saved = checkpoint(tmp_path / "folder" / "job.npz").saved
    assert saved.position["epoch"] == 40
    (first, second) = saved.position["curves"]["0"]
    assert first == [0, {"loss": 0.1 + 0.2}]
    assert np.isnan(second[1]["loss"])
    assert_same(saved.arrays, ARRAYS)


def test_array_without_dimensions_comes_back_as_a_number(tmp_path):
    checkpoint(tmp_path / "job.npz").save(POSITION, {"array": np.array(3, np.int32), "number": 0.1})
    found = checkpoint(tmp_path / "job.npz").saved.arrays
    assert isinstance(found["array"], np.int32)
    assert isinstance(found["number"], np.float64)
    assert float(found["number"]) == 0.1


def test_numpy_reads_the_file(tmp_path):
    checkpoint(tmp_path / "job.npz").save(POSITION, {"weights": {"bias": np.arange(3)}})
    with np.load(tmp_path / "job.npz") as file:
        header = json.loads(file["header.json"])
        np.testing.assert_array_equal(file[str(header["tree"]["weights"]["bias"])], [0, 1, 2])
    assert header["description"]


def test_arrays_keep_their_order(tmp_path):
    """Sorted by name, 10 would come before 2."""
    arrays = {"epochs": {str(epoch): {"rank": np.array(epoch)} for epoch in (2, 10, 1)}}
    checkpoint(tmp_path / "job.npz").save(POSITION, arrays)
    assert list(checkpoint(tmp_path / "job.npz").saved.arrays["epochs"]) == ["2", "10", "1"]


def test_new_job_has_nothing_saved(tmp_path):
    assert checkpoint(tmp_path / "job.npz").saved is None


def test_long_records_fit(tmp_path):
    position = {"curves": [[epoch, 1 / (epoch + 1)] for epoch in range(20_000)]}
    checkpoint(tmp_path / "job.npz").save(position, {})
    assert checkpoint(tmp_path / "job.npz").saved.position == position


def test_other_job_starts_anew_and_says_so(tmp_path, capsys):
    checkpoint(tmp_path / "job.npz").save(POSITION, ARRAYS)
    assert checkpoint(tmp_path / "job.npz", identity="another").saved is None
    assert "starting anew" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"not a checkpoint at all", None])
def test_unreadable_file_starts_anew_and_says_so(tmp_path, capsys, content):
    path = tmp_path / "job.npz"
    checkpoint(path).save(POSITION, ARRAYS)
    path.write_bytes(path.read_bytes()[:-2000] if content is None else content)
    assert checkpoint(path).saved is None
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("entry", ["header.json", "2.npy"])
def test_damaged_entry_starts_anew_and_says_so(tmp_path, capsys, entry):
    path = tmp_path / "job.npz"
    checkpoint(path).save(POSITION, ARRAYS)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as file:
        following = sorted(info.header_offset for info in file.infolist() if info.filename != entry)
        end = next(start for start in following if start > file.getinfo(entry).header_offset)
    content[end - 1] ^= 1
    path.write_bytes(content)
    assert checkpoint(path).saved is None
    assert "cannot be read" in capsys.readouterr().err


def test_going_on_is_said(tmp_path, capsys):
    checkpoint(tmp_path / "job.npz").save(POSITION, ARRAYS)
    checkpoint(tmp_path / "job.npz")
    assert "resuming from a checkpoint: epoch 40" in capsys.readouterr().err


def test_due_after_so_many_seconds_since_the_last_one(tmp_path):
    clock = Clock()
    job = checkpoint(tmp_path / "job.npz", clock=clock)
    assert not job.due()
    clock.now += 60
    assert job.due()
    job.save(POSITION, ARRAYS)
    assert not job.due()
    clock.now += 59
    assert not job.due()
    clock.now += 1
    assert job.due()


def test_writing_takes_a_twentieth_of_the_time_at_most(tmp_path):
    """A state of gigabytes takes minutes to write to a slow disk."""
    clock = Clock()
    job = checkpoint(tmp_path / "job.npz", clock=clock)

    class Slow(dict):
        def items(self):
            clock.now += 30
            return super().items()

    job.save(POSITION, Slow(ARRAYS))
    clock.now += 599
    assert not job.due()
    clock.now += 1
    assert job.due()


def test_never_due_with_zero_seconds(tmp_path):
    clock = Clock()
    job = checkpoint(tmp_path / "job.npz", seconds=0, clock=clock)
    clock.now += 1e9
    assert not job.due()


def test_removed_with_what_kills_left_behind(tmp_path):
    path = tmp_path / "job.npz"
    job = checkpoint(path)
    job.save(POSITION, ARRAYS)
    (tmp_path / ".partial-job-abc.npz").write_bytes(b"half")
    (tmp_path / ".partial-other-abc.npz").write_bytes(b"half")
    job.remove()
    assert [file.name for file in tmp_path.iterdir()] == [".partial-other-abc.npz"]
    job.remove()


def test_what_another_job_writes_stays(tmp_path):
    """A job whose name begins with this one's: both run at the same time."""
    names = ("calibrate-three-layer.npz", "calibrate-three.npz")
    with whole_file(tmp_path / names[0]) as others, whole_file(tmp_path / names[1]) as own:
        job = checkpoint(tmp_path / names[1])
        for remove in (job.remove, lambda: job.save(POSITION, ARRAYS)):
            own.touch()
            remove()
            assert (own.exists(), others.exists()) == (False, True)
        own.touch()


def test_unwritable_folder_does_not_end_the_job(tmp_path, capsys):
    (tmp_path / "folder").write_text("a file stands where the folder would be", encoding="utf-8")
    checkpoint(tmp_path / "folder" / "job.npz").save(POSITION, ARRAYS)
    assert "no checkpoint written" in capsys.readouterr().err


def test_full_disk_does_not_end_the_job(tmp_path):
    """A limit on file size stands for the full disk, at each part of the file. The last checkpoint stays."""
    path = tmp_path / "job.npz"
    program = f"""
        import resource
        from pathlib import Path
        import numpy as np
        from ntklens.storage.checkpoints import Checkpoint

        path = Path({str(path)!r})
        job = Checkpoint(path, {{"settings": "this job"}}, 60)
        arrays = {{"few": np.arange(3), "many": np.zeros(300_000)}}
        job.save({{"epoch": 1}}, arrays)
        size = path.stat().st_size
        for limit in (0, 10, 100, 400, 600, 300_000, size - 200, size - 1):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
            job.save({{"epoch": 2}}, arrays)
            print(limit)
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, encoding="utf-8"
    )
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.split()) == 8
    assert result.stderr == 8 * f"no checkpoint written: [Errno 27] File too large: '{path}'\n"
    assert list(tmp_path.iterdir()) == [path]
    assert checkpoint(path).saved.position == {"epoch": 1}


def test_devices_are_remembered_each_once(tmp_path):
    path = tmp_path / "job.npz"
    checkpoint(path, device="GPU A").save(POSITION, ARRAYS)
    other = checkpoint(path, device="GPU B")
    assert other.devices == ["GPU A", "GPU B"]
    other.save(POSITION, ARRAYS)
    assert checkpoint(path, device="GPU A").devices == ["GPU A", "GPU B"]


def test_kill_while_writing_leaves_the_last_whole_one(tmp_path):
    """A process that only writes is killed again and again: the checkpoint is always whole."""
    path = tmp_path / "job.npz"
    program = f"""
        import numpy as np
        from ntklens.storage.checkpoints import Checkpoint
        job = Checkpoint({str(path)!r}, {{"settings": "this job"}}, 60)
        count = 0
        while True:
            count += 1
            arrays = {{"weights": np.full(200_000, count, np.float32)}}
            job.save({{"epoch": count}}, arrays)
            print(count, flush=True)
    """
    rng = np.random.default_rng(0)
    for _ in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, encoding="utf-8"
        )
        with process:
            for _ in range(rng.integers(1, 6)):
                process.stdout.readline()
            process.send_signal(signal.SIGKILL)
        saved = checkpoint(path).saved
        np.testing.assert_array_equal(saved.arrays["weights"], np.full(200_000, saved.position["epoch"]))
    assert len(list(tmp_path.iterdir())) <= 2  # the checkpoint and what the last kill left unfinished
