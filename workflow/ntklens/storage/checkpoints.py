"""What a killed job goes on from: its state, in a file that is no rule's output.

The file appears whole or not at all, belongs to one identity (settings, inputs, code, libraries), and is
removed once the job's output is there. A job that finds its own goes on from it and ends with the same
numbers as one that was never killed.

It is NumPy's npz format, written by Python: HDF5's library may end the process where a disk is full.
"""

import json
import sys
import time
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

import numpy as np

from ntklens.storage.files import PARTIAL, json_sha256, whole_file

LARGEST_SHARE = 0.05  # of a job's time that goes into writing, however large its state
HEADER = "header.json"


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
        leaves = []
        header = {
            "description": "what a killed job goes on from; `tree` says where its numbered arrays belong",
            "identity": self._identity,
            "devices": self.devices,
            "position": position,
            "tree": _numbered(arrays, leaves),
        }
        try:
            with whole_file(self.path) as temporary, ZipFile(temporary, "w") as file:
                _write(file, header, leaves)
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
            with ZipFile(self.path) as file:
                header = json.loads(file.read(HEADER))
                if header["identity"] != self._identity:
                    _say("the checkpoint there has other settings, inputs, code or libraries: starting anew")
                    return None
                saved = Saved(header["position"], _read(file, header["tree"]))
                devices = header["devices"]
        except Exception as error:  # a file may be damaged in any way
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


def _numbered(tree, leaves):
    """``tree`` with the number of each array in its place. The arrays join the list ``leaves``."""
    numbered = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            numbered[name] = _numbered(value, leaves)
        else:
            numbered[name] = len(leaves)
            leaves.append(value)
    return numbered


def _write(file, header, leaves):
    """One array after the other, in pieces: the state needs no second place in memory."""
    with file.open(HEADER, "w") as entry:
        entry.write(json.dumps(header).encode())
    for number, leaf in enumerate(leaves):
        with file.open(f"{number}.npy", "w", force_zip64=True) as entry:
            np.lib.format.write_array(entry, np.asarray(leaf), allow_pickle=False)


def _read(file, tree):
    """``tree`` with its arrays in their places."""
    return {
        name: _read(file, value) if isinstance(value, dict) else _read_array(file, value)
        for name, value in tree.items()
    }


def _read_array(file, number):
    with file.open(f"{number}.npy") as entry:
        return np.lib.format.read_array(entry, allow_pickle=False)[()]


def _say(text):
    print(text, file=sys.stderr, flush=True)
