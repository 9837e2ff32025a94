"""How a training job starts and ends: the arguments shared by its scripts, its device, its checkpoint.

None of these changes the results, except by rounding errors if memory is short or the device is another one.
"""

import gc
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from typing import Any

import jax

from ntklens.machine.compilation_cache import use_compilation_cache
from ntklens.machine.devices import DeviceError, description, use_device
from ntklens.machine.threads import use_threads
from ntklens.storage.checkpoints import Checkpoint
from ntklens.storage.settings import as_plain

# Their versions may change the numbers of a job: they are recorded, and no checkpoint of others is resumed.
PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy", "scipy", "h5py")
NTK_SHARE = 0.5  # share of a job's memory that the pieces of an NTK may take


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments that the training scripts share."""
    parser.add_argument("--threads", type=int, default=1, help="threads that compute spectra during training")
    parser.add_argument(
        "--gpus", type=int, choices=(0, 1), default=0, help="1: compute on a GPU, and fail if there is none"
    )
    parser.add_argument(
        "--memory",
        type=int,
        metavar="MB",
        help="the job's memory, half of which NTKs may take; by default unlimited",
    )
    parser.add_argument(
        "--checkpoint", metavar="FILE", help="resume from FILE, and save to it periodically; none by default"
    )


def start(args: Namespace, *kind: object) -> None:
    """Start JAX, before it computes anything. Exits if a GPU was requested but none is available.

    Jobs of the same ``kind`` share compiled programs, by `use_compilation_cache`.
    """
    # What the imports made stays until the end: while JAX traces, Python's collector need not search it.
    gc.freeze()
    use_threads(1)  # so that results don't depend on how many threads compute spectra
    try:
        use_device(args.gpus, int(os.environ.get("NTKLENS_JOBS_PER_GPU", "1")))
    except DeviceError as error:
        sys.exit(str(error))
    use_compilation_cache(args.gpus, *as_plain(kind))


def ntk_memory(args: Namespace) -> int | None:
    """The part of the job's memory that the pieces of an NTK may take, in bytes; None without a limit."""
    return None if args.memory is None else int(NTK_SHARE * args.memory * 1e6)


def open_checkpoint(args: Namespace, record: Mapping[str, Any], code: str) -> Checkpoint | None:
    """The `Checkpoint` of this job, or None if none was requested.

    ``record`` holds what determines the job's output. ``code``, a digest of the job's code, takes the place
    of its commit.
    """
    if args.checkpoint is None:
        return None
    identity = {key: value for key, value in record.items() if key != "commit"}
    return Checkpoint(
        args.checkpoint,
        {**identity, "code": code, "backend": jax.default_backend()},
        seconds=float(os.environ.get("NTKLENS_CHECKPOINT_SECONDS", "60")),
        device=str(description()["device"]),
    )


def device_attributes(checkpoint: Checkpoint | None) -> dict[str, str | int]:
    """Attributes for the output's root: the job's device, or all its devices if it resumed on another."""
    attributes = description()
    if checkpoint is not None:
        attributes["device"] = ", then ".join(checkpoint.devices)
    return attributes


def finish(checkpoint: Checkpoint | None) -> None:
    """Remove the checkpoint. Call this when the job's output exists."""
    if checkpoint is not None:
        checkpoint.remove()
