"""How a training job starts and ends: the arguments that its scripts share, its device, its checkpoint.

None of them changes a number, up to rounding where memory is short or the device another one.
"""

import os
import sys

import jax

from ntklens.machine.compilation_cache import use_compilation_cache
from ntklens.machine.devices import DeviceError, description, use_device
from ntklens.machine.threads import use_threads
from ntklens.storage.checkpoints import Checkpoint

NTK_SHARE = 0.5  # of a job's memory, for the pieces of an NTK


def add_arguments(parser):
    parser.add_argument("--threads", type=int, default=1, help="that take spectra beside the training")
    parser.add_argument("--gpus", type=int, choices=(0, 1), default=0, help="1: a GPU, or fail")
    parser.add_argument("--memory", type=int, metavar="MB", help="the job's; NTKs keep within a half of it")
    parser.add_argument("--checkpoint", metavar="FILE", help="to go on from when killed; none by default")


def start(args, *kind):
    """Start JAX, before it computes anything. Exits if a GPU was requested but none is available.

    Jobs of one ``kind``, as for `use_compilation_cache`, share compiled programs.
    """
    use_threads(1)  # the numbers are to be the same, however many threads take spectra
    try:
        use_device(args.gpus, int(os.environ.get("NTKLENS_JOBS_PER_GPU", "1")))
    except DeviceError as error:
        sys.exit(str(error))
    use_compilation_cache(args.gpus, *kind)


def ntk_memory(args):
    """The share of the job's memory that the pieces of an NTK may take, in bytes; None without a limit."""
    return None if args.memory is None else int(NTK_SHARE * args.memory * 1e6)


def open_checkpoint(args, record, code):
    """The `Checkpoint` of this job, or None.

    ``record`` is what determines its output, with ``code``, a digest of the job's code, in place of the
    commit.
    """
    if args.checkpoint is None:
        return None
    identity = {key: value for key, value in record.items() if key != "commit"}
    return Checkpoint(
        args.checkpoint,
        {**identity, "code": code, "backend": jax.default_backend()},
        seconds=float(os.environ.get("NTKLENS_CHECKPOINT_SECONDS", "60")),
        device=description()["device"],
    )


def device_attributes(checkpoint):
    """What the job ran on, for its output's root: every device, if it was killed and went on elsewhere."""
    attributes = description()
    if checkpoint is not None:
        attributes["device"] = ", then ".join(checkpoint.devices)
    return attributes


def finish(checkpoint):
    """To be called when the job's output is there."""
    if checkpoint is not None:
        checkpoint.remove()
