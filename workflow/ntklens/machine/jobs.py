"""How a training job starts: the arguments that its scripts share, its device, its checkpoint.

None of them changes a number, up to rounding where memory is short or the device another one.
"""

import os
import sys

import jax

from ntklens.kernel.ntk import MEMORY
from ntklens.machine.compilation_cache import use_compilation_cache
from ntklens.machine.devices import DeviceError, description, use_device
from ntklens.machine.threads import use_threads
from ntklens.storage.checkpoints import Checkpoint
from ntklens.storage.import_closure import code_sha256

NTK_SHARE = 0.5  # of a job's memory, for the pieces of an NTK


def add_arguments(parser):
    parser.add_argument("--threads", type=int, default=1, help="that take spectra beside the training")
    parser.add_argument("--gpus", type=int, choices=(0, 1), default=0, help="1: a GPU, or fail")
    parser.add_argument("--memory", type=int, metavar="MB", help="the job's; NTKs keep within a half of it")
    parser.add_argument("--checkpoint", metavar="FILE", help="to go on from when killed; none by default")


def start(args, *kind):
    """To be called before JAX computes anything. Ends the process where there is no GPU but shall be.

    Jobs of one ``kind``, as for `use_compilation_cache`, share compiled programs.
    """
    use_threads(1)  # the numbers are to be the same, however many threads take spectra
    try:
        use_device(args.gpus, int(os.environ.get("NTKLENS_JOBS_PER_GPU", "1")))
    except DeviceError as error:
        sys.exit(str(error))
    use_compilation_cache(args.gpus, *kind)


def ntk_memory(args):
    """Bytes that the pieces of an NTK may take."""
    return MEMORY if args.memory is None else min(MEMORY, int(NTK_SHARE * args.memory * 1e6))


def open_checkpoint(args, script, record):
    """The `Checkpoint` of this job, or None.

    ``record`` is what determines its output; the code of ``script`` stands for the commit in it.
    """
    if args.checkpoint is None:
        return None
    identity = {key: value for key, value in record.items() if key != "commit"}
    return Checkpoint(
        args.checkpoint,
        {**identity, "code": code_sha256(script), "backend": jax.default_backend()},
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
