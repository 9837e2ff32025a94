"""What a killed job goes on from: its state, in a file that is no rule's output.

The file appears whole or not at all, belongs to one identity (settings, inputs, code, libraries), and is
removed once the job's output is there. A job that finds its own goes on from it and ends with the same
numbers as one that was never killed.
"""

import json
import sys
import time
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from ntklens.files import PARTIAL, json_sha256, whole_file

LARGEST_SHARE = 0.05  # of a job's time that goes into writing, however large its state


class Saved(NamedTuple):
    """``position`` is JSON; ``arrays`` nested dictionaries of arrays, order and types as they were saved."""

    position: dict
    arrays: dict


class Checkpoint:
    """The file at ``path`` of a job with this ``identity``, written every ``seconds`` at most; 0 writes none.

    ``device`` is what the job runs on: a job that goes on elsewhere remembers both.
    """

    def __init__(self, path, identity, seconds, device="", clock=time.monotonic):
        self.path = Path(path)
        self.devices = [device]
        self._identity = json_sha256(identity)
        self._seconds = seconds
        self._clock = clock
        self._due = clock() + seconds
        self.saved = self._load()

    def due(self):
        """Whether it is time to `save`."""
        return self._seconds > 0 and self._clock() >= self._due

    def save(self, position, arrays):
        """Write both; on a full disk the job goes on without."""
        started = self._clock()
        self._remove_partial()
        try:
            with whole_file(self.path) as temporary, h5py.File(temporary, "w") as file:
                file.attrs["description"] = "what a killed job goes on from"
                file.attrs["identity"] = self._identity
                file.attrs["devices"] = json.dumps(self.devices)
                file["position"] = json.dumps(position)  # an attribute could not be as long
                _write(file, "arrays", arrays)
        except OSError as error:
            _say(f"no checkpoint written: {error}")
        ended = self._clock()
        self._due = ended + max(self._seconds, (ended - started) / LARGEST_SHARE)

    def remove(self):
        """To be called when the job's output is there."""
        self.path.unlink(missing_ok=True)
        self._remove_partial()

    def _load(self):
        """`Saved`, or None: there is no file, it is another job's, or it cannot be read."""
        if not self.path.exists():
            return None
        try:
            with h5py.File(self.path) as file:
                if file.attrs["identity"] != self._identity:
                    _say("the checkpoint there has other settings, inputs, code or libraries: starting anew")
                    return None
                saved = Saved(json.loads(file["position"][()]), _read(file["arrays"]))
                devices = json.loads(file.attrs["devices"])
        except (OSError, KeyError, ValueError) as error:
            _say(f"the checkpoint there cannot be read ({error}): starting anew")
            return None
        self.devices = list(dict.fromkeys([*devices, *self.devices]))
        _say(f"going on from a checkpoint: {_described(saved.position)}")
        return saved

    def _remove_partial(self):
        """What kills in the middle of writing left behind: states can be gigabytes."""
        for partial in self.path.parent.glob(f"{PARTIAL}{self.path.stem}-*"):
            partial.unlink(missing_ok=True)


def _described(position):
    return ", ".join(f"{name} {value}" for name, value in position.items() if isinstance(value, int | float))


def _write(parent, name, tree):
    """HDF5 would give groups back in the order of their names: epoch 10 before epoch 2."""
    group = parent.create_group(name, track_order=True)
    for key, value in tree.items():
        if isinstance(value, dict):
            _write(group, key, value)
        else:
            group.create_dataset(key, data=np.asarray(value))


def _read(group):
    return {name: _read(item) if isinstance(item, h5py.Group) else item[()] for name, item in group.items()}


def _say(text):
    print(text, file=sys.stderr, flush=True)
