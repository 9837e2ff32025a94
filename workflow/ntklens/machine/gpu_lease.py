"""One GPU for each job: Snakemake limits how many jobs use GPUs, but does not assign a GPU to each.

A job leases a GPU by a lock that ends with its process, and sets CUDA_VISIBLE_DEVICES to that GPU. All
workflows of one user on one machine share the leases if they have the same temporary directory.

Inside a SLURM job the scheduler has chosen the GPUs, so the names in CUDA_VISIBLE_DEVICES are kept: with
cgroups every job calls its first GPU 0. Leases are then shared only within that SLURM job, which has several
processes if Snakemake itself runs inside an allocation.

This has run with simulated devices and a simulated ``nvidia-smi``, never on a machine with GPUs. macOS has no
``nvidia-smi``: there a lease fails with DeviceError.
"""

import os
import re
import subprocess
import sys
import time
from functools import cache
from itertools import chain
from pathlib import Path

from ntklens.machine import locks

GPU_NAME = re.compile(r"\d+|(GPU|MIG)-.+")
POLL = 1.0  # seconds between two attempts while all GPUs are leased


class DeviceError(Exception):
    """There is no GPU to use. The message says why and what to do."""


@cache
def lease_gpu(jobs_per_gpu: int) -> str:
    """Lease the GPU with the fewest leases until this process ends, and return its name.

    CUDA then sees only that GPU. This waits while every GPU has ``jobs_per_gpu`` leases, or a lease of a job
    that does not share its GPU (``jobs_per_gpu`` = 1). Candidates are the GPUs in CUDA_VISIBLE_DEVICES or,
    without that variable, all that ``nvidia-smi`` lists. Raises DeviceError if there is none.
    """
    job = os.environ.get("SLURM_JOB_ID")
    gpus = _gpus_of_machine() if job is None else _gpus_of_slurm()
    prefix = "" if job is None else f"slurm-{job}-"
    files = {gpu: prefix + re.sub(r"[^\w.-]", "_", gpu) for gpu in gpus}
    leased = _take(files, jobs_per_gpu)
    if leased is None:
        print(f"waiting for a GPU: other jobs have {', '.join(gpus)}", file=sys.stderr, flush=True)
    while leased is None:
        time.sleep(POLL)
        leased = _take(files, jobs_per_gpu)
    if job is None:
        os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # the same numbers as nvidia-smi's
    os.environ["CUDA_VISIBLE_DEVICES"] = leased
    return leased


def _take(files: dict[str, str], jobs_per_gpu: int) -> str | None:
    """Lease the GPU with the fewest leases, and return its name; None if all are taken.

    ``files`` maps each GPU to the name of its lock file. Raises DeviceError if there cannot be such files.
    """
    try:
        return _take_by_files(files, jobs_per_gpu)
    except OSError as error:
        raise DeviceError(f"no GPU can be leased: {error}") from None


def _take_by_files(files: dict[str, str], jobs_per_gpu: int) -> str | None:
    """As `_take`. Raises OSError."""
    folder = locks.private_folder(locks.user_folder() / "gpus")
    with locks.locked(folder / "choosing"):  # so that no other job takes our attempts for leases
        for file in folder.glob("slurm-*"):  # every SLURM job has its own lock files, which would accumulate
            _remove_unless_locked(file)
        free = {gpu: _free_places(folder / file, jobs_per_gpu) for gpu, file in files.items()}
        chosen = max(free, key=lambda gpu: len(free[gpu]))
        kept = free[chosen][:2]
        for descriptor in chain.from_iterable(free.values()):
            if descriptor not in kept:
                os.close(descriptor)
    return chosen if kept else None


def _free_places(path: Path, jobs_per_gpu: int) -> list[int]:
    """Locks of a GPU and of each free place among its ``jobs_per_gpu``; empty if none is free."""
    gpu = locks.lock(path, shared=jobs_per_gpu > 1)
    if gpu is None:
        return []
    attempts = [locks.lock(f"{path}.{place}") for place in range(jobs_per_gpu)]
    places = [place for place in attempts if place is not None]
    if not places:
        os.close(gpu)
        return []
    return [gpu, *places]


def _remove_unless_locked(path: Path) -> None:
    descriptor = locks.lock(path)
    if descriptor is not None:
        path.unlink()
        os.close(descriptor)


def _gpus_of_slurm() -> list[str]:
    """Names of the GPUs that SLURM gave this job."""
    gpus = _visible(os.environ.get("CUDA_VISIBLE_DEVICES", ""))
    if not gpus:
        raise DeviceError(
            "SLURM gave this job no GPU (CUDA_VISIBLE_DEVICES names none): ask for one, as profiles/slurm "
            "does, or set device: cpu"
        )
    return gpus


def _gpus_of_machine() -> list[str]:
    """Names of the GPUs that may be used, without duplicates: UUIDs if ``nvidia-smi`` lists them."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    try:
        uuids = _uuids()
    except DeviceError:
        if not visible:
            raise
        uuids = {}
    if visible is None:
        return list(uuids.values())
    gpus = list(dict.fromkeys(_full_name(name, uuids) for name in _visible(visible)))
    if not gpus:
        raise DeviceError(f"CUDA_VISIBLE_DEVICES={visible} allows no GPU: unset it, or set device: cpu")
    return gpus


def _visible(text: str) -> list[str]:
    """The names in CUDA_VISIBLE_DEVICES up to the first that cannot be a GPU, as CUDA reads it."""
    names: list[str] = []
    for name in (part.strip() for part in text.split(",")):
        if not GPU_NAME.fullmatch(name):
            break
        names.append(name)
    return names


def _full_name(name: str, uuids: dict[str, str]) -> str:
    """The UUID for a number or the beginning of a UUID; ``name`` itself if no UUID matches."""
    if name in uuids:
        return uuids[name]
    return next((uuid for uuid in uuids.values() if uuid.startswith(name)), name)


def _uuids() -> dict[str, str]:
    """The UUIDs of the GPUs that ``nvidia-smi`` lists, by number. Raises DeviceError if there is none."""
    command = ["nvidia-smi", "--query-gpu=index,uuid", "--format=csv,noheader"]
    try:
        result = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60)
        answer = (result.stdout + result.stderr).strip()
    except FileNotFoundError:
        answer = "no such program: the NVIDIA driver is not installed"
    except subprocess.TimeoutExpired:
        answer = "no answer within a minute"
    uuids = dict(re.findall(r"^(\d+), (\S+)$", answer, re.MULTILINE))
    if not uuids:
        raise DeviceError(
            f"nvidia-smi lists no GPU ({answer}): check the driver, use a machine with a GPU, "
            "or set device: cpu"
        )
    return uuids
