"""Compiled programs, kept from job to job: JAX's persistent cache, made safe against kills."""

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

from ntklens.machine import locks, processor
from ntklens.storage.files import json_sha256, whole_file

ZSTD = b"\x28\xb5\x2f\xfd"  # how a Zstandard frame starts


def use_compilation_cache(*kind):
    """Keep XLA's programs between jobs, in the folder that NTKLENS_COMPILATION_CACHE names.

    Without that variable nothing is kept. ``kind``, anything that JSON can hold, says which jobs run the same
    programs: those share them. Each works with a copy and adds its own programs when it ends, by renaming.
    For JAX writes in place: a killed job would leave half a program, which is never replaced, and others
    would read one that is still being written.

    Processors of different kinds have a folder each: a program compiled for one may hold instructions that
    another lacks. GPUs need none, JAX's file names tell them apart.
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
    # Its folder's name would be part of each program's, and so no other job would find it.
    jax.config.update("jax_persistent_cache_enable_xla_caches", "none")


@cache
def _private_copy(shared):
    """A folder of this process alone with the programs in ``shared``, which gets the new ones at its end."""
    shared.mkdir(parents=True, exist_ok=True)
    private = _private_folder()
    programs = private / "programs"
    programs.mkdir()
    for name in _names(shared):
        with suppress(FileNotFoundError):  # somebody is emptying the cache
            shutil.copyfile(shared / name, programs / name)
    atexit.register(_publish, programs, shared, private)
    return programs


def _private_folder():
    """A new folder on this machine's disk, locked by this process. Those of killed processes are removed."""
    folder = locks.user_folder() / "compiling"
    folder.mkdir(exist_ok=True)
    with locks.locked(folder / "making"):  # so that nobody removes a new one that is not locked yet
        for other in [path for path in folder.iterdir() if path.is_dir()]:
            with suppress(FileNotFoundError):  # its job has just ended and removes it itself
                owner = locks.lock(other / "owner")
                if owner is not None:
                    shutil.rmtree(other, ignore_errors=True)
                    os.close(owner)
        private = Path(tempfile.mkdtemp(dir=folder))
        locks.lock(private / "owner")
    return private


def _publish(programs, shared, private):
    """Copy to ``shared`` what it lacks of ``programs``, each file whole or not at all; remove ``private``."""
    try:
        for name in _names(programs) - _names(shared):
            if not _is_whole((programs / name).read_bytes()):
                continue  # a full disk has cut it off: JAX goes on then
            with whole_file(shared / name) as temporary:
                shutil.copyfile(programs / name, temporary)
    except OSError as error:
        print(f"compiled programs are not kept: {error}", file=sys.stderr)
    shutil.rmtree(private, ignore_errors=True)


def _is_whole(program):
    """Whether ``program``, a file's bytes, is one whole compressed stream and nothing else."""
    try:
        decompressor = _decompressor(program)
        decompressor.decompress(program)
    except Exception:  # each library has an error of its own, or is not there
        return False
    return decompressor.eof and not decompressor.unused_data


def _decompressor(program):
    """The one for what JAX wrote: by Zstandard where Python has it or it is installed, else by zlib."""
    if not program.startswith(ZSTD):
        return zlib.decompressobj()
    # By their names: neither has to be there where JAX compresses by zlib. The first comes with Python 3.14.
    try:
        return import_module("compression.zstd").ZstdDecompressor()
    except ImportError:
        return import_module("zstandard").ZstdDecompressor().decompressobj()


def _names(folder):
    """The files in ``folder``, without those that are being written."""
    return {entry.name for entry in os.scandir(folder) if entry.is_file() and not entry.name.startswith(".")}
