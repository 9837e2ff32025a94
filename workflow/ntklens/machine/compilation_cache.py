"""JAX's persistent compilation cache, shared between jobs and safe when jobs are killed."""

import atexit
import os
import shutil
import sys
import tempfile
import zlib
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Protocol, runtime_checkable

from ntklens.machine import locks, processor
from ntklens.storage.files import json_sha256, whole_file

ZSTD = b"\x28\xb5\x2f\xfd"  # the first bytes of a Zstandard frame


@runtime_checkable
class _Decompressor(Protocol):
    """A decompressor of one stream, as zlib and both Zstandard libraries have it."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


def use_compilation_cache(*kind: object) -> None:
    """Keep XLA's compiled programs for later jobs, in the folder named by NTKLENS_COMPILATION_CACHE.

    Without that variable nothing is kept. Jobs of the same ``kind``, which is anything that JSON can hold,
    run the same programs and share them. Each job works with a copy of the folder and adds its new programs
    when it ends, by renaming. JAX itself writes in place: a killed job would leave a truncated program that
    is never replaced, and other jobs could read a program that is still being written.

    Each kind of processor has a folder of its own: a program compiled for one may use instructions that
    another lacks. GPUs don't need that: the names of JAX's files tell them apart.
    """
    folder = os.environ.get("NTKLENS_COMPILATION_CACHE")
    if not folder:
        return
    import jax

    digest = json_sha256(kind)[:16]
    try:
        programs = _private_copy(Path(folder, processor.instruction_set(), digest))
    except OSError as error:
        print(f"compiled programs are not kept: {error}", file=sys.stderr)
        return
    jax.config.update("jax_compilation_cache_dir", str(programs))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    # With XLA's own caches, the folder's name would become part of each program's key, and no other job would
    # find the program.
    jax.config.update("jax_persistent_cache_enable_xla_caches", "none")


@cache
def _private_copy(shared: Path) -> Path:
    """A private folder with a copy of ``shared``, to which new programs are added when the process ends."""
    shared.mkdir(parents=True, exist_ok=True)
    private = _private_folder()
    programs = private / "programs"
    programs.mkdir()
    for name in _names(shared):
        with suppress(FileNotFoundError):  # someone is emptying the cache
            shutil.copyfile(shared / name, programs / name)
    atexit.register(_publish, programs, shared, private)
    return programs


def _private_folder() -> Path:
    """A new folder in the temporary directory, locked by this process. Folders of killed jobs are removed."""
    folder = locks.private_folder(locks.user_folder() / "compiling")
    with locks.locked(folder / "making"):  # so that nobody removes a new folder before it is locked
        for other in [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()]:
            with suppress(OSError):  # its job has just ended and is removing it, or its lock is no file
                owner = locks.lock(other / "owner")
                if owner is not None:
                    shutil.rmtree(other, ignore_errors=True)
                    os.close(owner)
        private = Path(tempfile.mkdtemp(dir=folder))
        locks.lock(private / "owner")
    return private


def _publish(programs: Path, shared: Path, private: Path) -> None:
    """Copy the files of ``programs`` that ``shared`` lacks, each by `whole_file`; then remove ``private``."""
    try:
        for name in _names(programs) - _names(shared):
            if not _is_whole((programs / name).read_bytes()):
                continue  # truncated by a full disk, of which JAX only warns
            with whole_file(shared / name) as temporary:
                shutil.copyfile(programs / name, temporary)
    except OSError as error:
        print(f"compiled programs are not kept: {error}", file=sys.stderr)
    shutil.rmtree(private, ignore_errors=True)


def _is_whole(program: bytes) -> bool:
    """Whether the bytes ``program`` are exactly one complete compressed stream."""
    try:
        decompressor = _decompressor(program)
        decompressor.decompress(program)
    except Exception:  # each library has its own error, and Zstandard may not be installed
        return False
    return decompressor.eof and not decompressor.unused_data


def _decompressor(program: bytes) -> _Decompressor:
    """A decompressor for ``program``: JAX uses Zstandard if Python has it or it is installed, else zlib."""
    if not program.startswith(ZSTD):
        return zlib.decompressobj()
    # Neither module is needed if JAX compresses by zlib. The first comes with Python 3.14.
    try:
        return import_module("compression.zstd").ZstdDecompressor()
    except ImportError:
        return import_module("zstandard").ZstdDecompressor().decompressobj()


def _names(folder: Path) -> set[str]:
    """The names of the files in ``folder``, without files that are still being written."""
    return {entry.name for entry in os.scandir(folder) if entry.is_file() and not entry.name.startswith(".")}
