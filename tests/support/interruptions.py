"""A job that is killed again and again, in this process: at every checkpoint, or where a test says so."""

from ntklens.storage.checkpoints import Checkpoint


class KilledError(Exception):
    """What stands for SIGKILL right after a checkpoint was written."""


class FatalCheckpoint(Checkpoint):
    """Always due, and the job's end at its ``last`` one."""

    def __init__(self, path, last):
        super().__init__(path, {"settings": "of the test"}, seconds=1)
        self._left = last

    def due(self):
        return True

    def save(self, position, arrays):
        super().save(position, arrays)
        self._left -= 1
        if self._left == 0:
            raise KilledError


def run_with_kills(job, path, kills):
    """``job(checkpoint)``, killed after its n-th checkpoint for every n of ``kills``, then left alone."""
    for last in kills:
        try:
            job(FatalCheckpoint(path, last))
        except KilledError:
            continue
        raise AssertionError(f"the job wrote fewer than {last} checkpoints")
    return job(FatalCheckpoint(path, last=-1))
