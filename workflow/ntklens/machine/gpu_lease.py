"""One GPU for each job: Snakemake counts the jobs that use GPUs, but does not say which GPU is whose.

A job leases a GPU by a lock that ends with its process, and CUDA_VISIBLE_DEVICES then names that GPU alone.
All workflows of a user on a machine take part, if they have the same temporary directory.

Inside a SLURM job the scheduler has chosen the GPUs, so the names in CUDA_VISIBLE_DEVICES stay as they are:
with cgroups every job calls its first GPU 0. Leases are then among the processes of that SLURM job alone; it
has several where Snakemake itself runs inside an allocation.

This has run with made-up devices and a made-up ``nvidia-smi``, never on a machine with GPUs.
"""

import os
import re
import subprocess
import sys
import time
from functools import cache
from itertools import chain

from ntklens.machine import locks

GPU_NAME = re.compile(r"\d+|(GPU|MIG)-.+")
POLL = 1.0  # seconds between two attempts while all GPUs are taken


class DeviceError(Exception):
    """There is no GPU to use; the text says why and what to do."""


@cache
def lease_gpu(jobs_per_gpu):
    """Lease a GPU until this process ends, and let CUDA see that one alone. Returns its name.

    It is the one with the fewest leases. This waits while every GPU has ``jobs_per_gpu`` leases, or one of a
    job that shares with nobody, as with ``jobs_per_gpu`` = 1. Candidates are the GPUs in
    CUDA_VISIBLE_DEVICES, without that variable all that ``nvidia-smi`` lists. Raises DeviceError where there
    is none.
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
        os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # numbers mean what they mean to nvidia-smi
    os.environ["CUDA_VISIBLE_DEVICES"] = leased
    return leased


def _take(files, jobs_per_gpu):
    """Lease the GPU with the fewest leases; None where all are taken. ``files`` has each one's lock file."""
    folder = locks.user_folder() / "gpus"
    folder.mkdir(exist_ok=True)
    with locks.locked(folder / "choosing"):  # so that nobody takes our attempts for leases
        for file in folder.glob("slurm-*"):  # would pile up: every SLURM job has its own
            _remove_unless_locked(file)
        free = {gpu: _free_places(folder / file, jobs_per_gpu) for gpu, file in files.items()}
        chosen = max(free, key=lambda gpu: len(free[gpu]))
        kept = free[chosen][:2]
        for descriptor in chain.from_iterable(free.values()):
            if descriptor not in kept:
                os.close(descriptor)
    return chosen if kept else None


def _free_places(path, jobs_per_gpu):
    """Locks of a GPU and of each free one of its ``jobs_per_gpu`` places; nothing where none is free."""
    gpu = locks.lock(path, shared=jobs_per_gpu > 1)
    if gpu is None:
        return []
    places = [locks.lock(f"{path}.{place}") for place in range(jobs_per_gpu)]
    places = [place for place in places if place is not None]
    if not places:
        os.close(gpu)
        return []
    return [gpu, *places]


def _remove_unless_locked(path):
    descriptor = locks.lock(path)
    if descriptor is not None:
        path.unlink()
        os.close(descriptor)


def _gpus_of_slurm():
    gpus = _visible(os.environ.get("CUDA_VISIBLE_DEVICES", ""))
    if not gpus:
        raise DeviceError(
            "SLURM gave this job no GPU (CUDA_VISIBLE_DEVICES names none): ask for one, as profiles/slurm "
            "does, or set device: cpu"
        )
    return gpus


def _gpus_of_machine():
    """Names of the GPUs that may be used, each by one name: UUIDs where ``nvidia-smi`` tells them."""
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


def _visible(text):
    """The names in CUDA_VISIBLE_DEVICES; as for CUDA, those before the first that is no GPU's."""
    names = []
    for name in (part.strip() for part in text.split(",")):
        if not GPU_NAME.fullmatch(name):
            break
        names.append(name)
    return names


def _full_name(name, uuids):
    """The UUID for a number or the beginning of a UUID; ``name`` itself where ``uuids`` don't tell."""
    if name in uuids:
        return uuids[name]
    return next((uuid for uuid in uuids.values() if uuid.startswith(name)), name)


def _uuids():
    """By number, the UUIDs of the GPUs that ``nvidia-smi`` lists. Raises DeviceError where there is none."""
    command = ["nvidia-smi", "--query-gpu=index,uuid", "--format=csv,noheader"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=60)
        answer = (result.stdout + result.stderr).strip()
    except FileNotFoundError:
        answer = "no such program, so no NVIDIA driver"
    except subprocess.TimeoutExpired:
        answer = "no answer within a minute"
    uuids = dict(re.findall(r"^(\d+), (\S+)$", answer, re.MULTILINE))
    if not uuids:
        raise DeviceError(
            f"nvidia-smi lists no GPU ({answer}): check the driver, use a machine with a GPU, "
            "or set device: cpu"
        )
    return uuids
