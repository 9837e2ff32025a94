"""The compilation cache with real processes, some of which are killed while they write to it."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from ntklens.machine import compilation_cache, locks

WORKFLOW = str(Path(__file__).parents[2] / "workflow")
# Compiles the given number of programs. Prints how many it looked for in the cache, and how many it found.
PROGRAM = """
import json, sys
import jax
from ntklens.machine.compilation_cache import use_compilation_cache

use_compilation_cache(*json.loads(sys.argv[1]))
{extra}
events = []
jax.monitoring.register_event_listener(lambda event, **_: events.append(event.rpartition("/")[2]))
for size in range(8, 8 + int(sys.argv[2])):
    jax.jit(lambda x: jax.numpy.sin(x) @ x)(jax.numpy.ones((size, size)))
print(events.count("compile_requests_use_cache"), events.count("cache_hits"))
"""
LIMIT = 500  # bytes that a file may have: fewer than any program needs
# The kernel ends the process in the middle of the write that would make a file longer.
KILLED_WRITING = f"""
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, ({LIMIT}, {LIMIT}))
"""


class Node:
    """Jobs that share a compilation cache and a temporary directory. Warnings are errors in them."""

    def __init__(self, folder):
        self.cache, self.temporary = folder / "cache", folder / "tmp"
        self.temporary.mkdir()

    def start(self, *kind, programs=2, extra="", **variables):
        program = PROGRAM.format(extra=extra)
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-c", program, json.dumps(kind), str(programs)],
            env={
                **os.environ,
                "PYTHONPATH": WORKFLOW,
                "TMPDIR": str(self.temporary),
                "NTKLENS_COMPILATION_CACHE": str(self.cache),
                **variables,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def run(self, *kind, **options):
        """How many programs a job looked for, and how many it found."""
        process = self.start(*kind, **options)
        output, errors = process.communicate()
        assert process.returncode == 0, errors
        assert not errors
        return tuple(map(int, output.split()))

    def kept(self):
        return {path.relative_to(self.cache) for path in self.cache.rglob("*") if path.is_file()}

    def written(self):
        """How many programs the running jobs have."""
        return sum(name.endswith("-cache") for _, _, names in os.walk(self.temporary) for name in names)

    def copies(self):
        """The folders of running or killed jobs."""
        return list(self.temporary.glob("*/compiling/*/"))


@pytest.fixture
def node(tmp_path):
    return Node(tmp_path)


def test_jobs_of_a_kind_find_what_earlier_ones_compiled(node):
    looked, found = node.run("train", {"width": 8})
    assert looked > 0 == found
    kept = node.kept()
    assert len(kept) == looked
    assert node.run("train", {"width": 8}) == (looked, looked)
    assert node.kept() == kept
    assert node.run("train", {"width": 9}) == (looked, 0)
    assert len(node.kept()) == 2 * looked
    assert not node.copies()


def test_more_programs_join_those_that_are_there(node):
    looked, _ = node.run(programs=1)
    more, found = node.run(programs=2)
    assert found == looked < more
    assert node.run(programs=2) == (more, more)


def test_job_killed_in_the_middle_of_a_write_leaves_nothing_that_others_see(node):
    killed = node.start("train", extra=KILLED_WRITING)
    killed.communicate()
    assert killed.returncode == -signal.SIGXFSZ
    (copy,) = node.copies()
    assert LIMIT in [path.stat().st_size for path in copy.rglob("*-cache")]
    assert not node.kept()
    looked, found = node.run("train")
    assert looked > 0 == found
    assert node.run("train") == (looked, looked)
    assert not node.copies()


def test_program_that_a_full_disk_cut_off_is_not_kept(node):
    """A limit on file size stands for the full disk while the job compiles."""
    limit = f"resource.setrlimit(resource.RLIMIT_FSIZE, ({LIMIT}, resource.RLIM_INFINITY))"
    lift = "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))"
    extra = f"import atexit, resource, warnings; warnings.simplefilter('default'); {limit}\n"
    job = node.start("train", extra=f"{extra}atexit.register(lambda: {lift})")
    output, errors = job.communicate()
    assert job.returncode == 0, errors
    assert "Error writing persistent compilation cache entry" in errors
    assert node.run("train") == (int(output.split()[0]), 0)


def zstd(content):
    """``content`` compressed as JAX does where it can."""
    try:
        from compression import zstd  # Python 3.14
    except ImportError:
        return pytest.importorskip("zstandard").ZstdCompressor().compress(content)
    return zstd.compress(content)


def published(folder, programs):
    """The names of the files of ``programs``, contents by name, that are kept."""
    private, shared = folder / "private", folder / "shared"
    (private / "programs").mkdir(parents=True)
    shared.mkdir()
    for name, content in programs.items():
        (private / "programs" / name).write_bytes(content)
    compilation_cache._publish(private / "programs", shared, private)
    kept = {path.name: path.read_bytes() for path in shared.iterdir()}
    assert kept.items() <= programs.items()
    return set(kept)


@pytest.mark.parametrize("compress", [zlib.compress, zstd])
def test_whole_program_is_kept_whatever_its_length(tmp_path, compress):
    """Disks truncate files at multiples of 512 bytes, but a whole file can have such a length too."""
    content = random.Random(0).randbytes(2600)
    programs = [compress(content[:length]) for length in (0, 1, *range(2000, 2600))]
    assert any(len(program) % 512 == 0 for program in programs)
    files = {str(number): program for number, program in enumerate(programs)}
    assert published(tmp_path, files) == set(files)


@pytest.mark.parametrize("compress", [zlib.compress, zstd])
@pytest.mark.parametrize("content", [b"", bytes(range(256)) + 300 * b"ab"])
def test_program_cut_off_anywhere_is_not_kept(tmp_path, compress, content):
    whole = compress(content)
    files = {str(length): whole[:length] for length in range(len(whole) + 1)}
    assert published(tmp_path, files) == {str(len(whole))}


def test_what_is_no_compressed_program_is_not_kept(tmp_path):
    whole = zlib.compress(b"a program")
    files = {
        "text": b"not compressed at all",
        "damaged": whole[:-1] + bytes([whole[-1] ^ 1]),
        "too long": whole + b"more",
        "zstd": compilation_cache.ZSTD + b"and nothing of the kind after it",
    }
    assert published(tmp_path, files) == set()


def test_jobs_killed_at_any_time_disturb_nobody(node):
    """Jobs run side by side, and all but the last are killed one after the other while they compile."""
    jobs = [node.start("train", programs=40) for _ in range(4)]
    try:
        deadline = time.monotonic() + 120
        for number, job in enumerate(jobs[:-1]):
            while node.written() < 5 * (number + 1):
                assert job.poll() is None, job.communicate()
                assert time.monotonic() < deadline
            job.kill()
            job.communicate()
        output, errors = jobs[-1].communicate()
    finally:
        for job in jobs:
            job.kill()
            job.communicate()
    assert jobs[-1].returncode == 0, errors
    looked = int(output.split()[0])
    assert node.run("train", programs=40) == (looked, looked)
    assert not node.copies()


def test_copy_of_a_running_job_is_left_alone(node):
    running = node.start("train", programs=1, extra="print('ready', flush=True); sys.stdin.read()")
    try:
        assert running.stdout.readline() == "ready\n"
        (copy,) = node.copies()
        node.run("train", programs=1)
        assert node.copies() == [copy]
    finally:
        running.kill()
        running.communicate()


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_links_among_the_copies_are_not_followed(temporary):
    """What they lead to, or what a lock leads to, is nobody's copy."""
    precious = temporary / "precious"
    precious.mkdir()
    (precious / "file").write_text("kept", encoding="utf-8")
    compiling = compilation_cache._private_folder().parent
    (compiling / "link").symlink_to(precious)
    (compiling / "held").mkdir()
    (compiling / "held" / "owner").symlink_to(precious / "file")
    own = compilation_cache._private_folder()
    assert own.is_dir()
    assert (precious / "file").read_text(encoding="utf-8") == "kept"
    assert (compiling / "held").is_dir()


@pytest.mark.parametrize("place", [".", "compiling"])
def test_nothing_is_removed_in_a_folder_that_others_may_change(temporary, place):
    folder = compilation_cache._private_folder().parent.parent
    (folder / place / "other").mkdir()
    (folder / place).chmod(0o777)
    with pytest.raises(PermissionError, match="may be changed by other users"):
        compilation_cache._private_folder()
    assert (folder / place / "other").is_dir()


def test_copy_that_its_job_removes_meanwhile_is_no_matter(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    other, lock = compilation_cache._private_folder(), locks.lock

    def lock_too_late(path):
        if path.parent == other:
            shutil.rmtree(other)
        return lock(path)

    monkeypatch.setattr(locks, "lock", lock_too_late)
    own = compilation_cache._private_folder()
    assert own.is_dir()
    assert not other.exists()


def test_programs_that_jax_kept_by_itself_disturb_nobody(node):
    """The folder holds files that JAX wrote in place, truncated by a kill."""
    node.run()
    (folder,) = node.cache.glob("*/*/")
    for path in folder.iterdir():
        path.rename(folder.parent / path.name)
        os.truncate(folder.parent / path.name, LIMIT)
    folder.rmdir()
    looked, found = node.run()
    assert looked > 0 == found


def test_job_does_without_where_the_cache_cannot_be(node):
    node.cache.write_text("no folder", encoding="utf-8")
    process = node.start()
    output, errors = process.communicate()
    assert process.returncode == 0
    assert "compiled programs are not kept" in errors
    assert output.split()[1] == "0"


def test_job_does_without_where_the_temporary_folder_is_not_its_own(node):
    folder = node.temporary / f"ntk-lens-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    process = node.start()
    output, errors = process.communicate()
    assert process.returncode == 0
    assert errors == (
        f"compiled programs are not kept: {folder} may be changed by other users (mode 777): remove it, or "
        "set TMPDIR to another folder\n"
    )
    assert output.split()[1] == "0"


def test_cache_may_be_emptied_while_a_job_runs(node):
    running = node.start(extra="print('ready', flush=True); sys.stdin.read()", programs=1)
    running.stdout.readline()
    shutil.rmtree(node.cache)
    output, errors = running.communicate()
    assert running.returncode == 0
    assert "compiled programs are not kept" in errors
    assert output


def test_without_a_folder_nothing_is_kept(node):
    process = node.start(NTKLENS_COMPILATION_CACHE="")
    output, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")
    assert output.split()[1] == "0"
    assert not node.copies()
