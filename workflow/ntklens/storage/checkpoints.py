"""Saved state from which an interrupted job resumes, in a file that is not the output of any rule.

The file appears whole or not at all, belongs to one identity (settings, inputs, code, libraries), and is
removed once the job's output exists. A job that finds its own checkpoint resumes from it and ends with the
same numbers as an uninterrupted one.

The format is NumPy's npz, written by Python: HDF5's library can abort the process on a full disk.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile

import numpy as np

from ntklens.storage.files import PARTIAL, ArrayTree, FilePath, json_sha256, whole_file

LARGEST_SHARE = 0.05  # of a job's time is spent on writing checkpoints, however large its state is
HEADER = "header.json"


class Saved(NamedTuple):
    """``position`` is a JSON object; ``arrays`` keep the order and the types in which they were saved."""

    position: dict[str, Any]
    arrays: ArrayTree


class Checkpoint:
    """The checkpoint at ``path`` of the job with this ``identity``, which is anything that JSON can hold.

    It is written every ``seconds`` at most; 0 means never. ``device`` names what the job runs on:
    ``devices`` lists every device that the job has run on. ``saved`` is the state to resume from, or None.
    """

    def __init__(
        self,
        path: FilePath,
        identity: object,
        seconds: float | int,
        device: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = Path(path)
        self.devices = [device]
        self._identity = json_sha256(identity)
        self._seconds = seconds
        self._clock = clock
        self._due = clock() + seconds
        self.saved = self._load()

    def due(self) -> bool:
        """Whether it is time to `save`."""
        return self._seconds > 0 and self._clock() >= self._due

    def save(self, position: dict[str, Any], arrays: ArrayTree) -> None:
        """Write both. If the disk is full, the job continues without a new checkpoint."""
        started = self._clock()
        self._remove_partial()
        leaves: list[Any] = []
        header = {
            "description": "saved state of an interrupted job; `tree` gives the place of each numbered array",
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

    def remove(self) -> None:
        """Delete the checkpoint. Call this when the job's output exists."""
        self.path.unlink(missing_ok=True)
        self._remove_partial()

    def _load(self) -> Saved | None:
        """`Saved`, or None if the file does not exist, belongs to another job, or cannot be read."""
        if not self.path.exists():
            return None
        try:
            with ZipFile(self.path) as file:
                header = json.loads(file.read(HEADER))
                if header["identity"] != self._identity:
                    _say(
                        f"the checkpoint {self.path} has other settings, inputs, code or libraries: "
                        "starting anew"
                    )
                    return None
                saved = Saved(header["position"], _read(file, header["tree"]))
                devices = header["devices"]
        except Exception as error:  # a file can be damaged in any way
            _say(f"the checkpoint {self.path} cannot be read ({error}): starting anew")
            return None
        self.devices = list(dict.fromkeys([*devices, *self.devices]))
        _say(f"resuming from a checkpoint: {_described(saved.position)}")
        return saved

    def _remove_partial(self) -> None:
        """Remove files that were being written when a job was killed: they can be gigabytes.

        Their names end in random signs without a hyphen (`whole_file`). With one, the file is that of a job
        whose name begins with this one's, and which may be writing it.
        """
        begins = f"{PARTIAL}{self.path.stem}-"
        for partial in self.path.parent.glob(f"{PARTIAL}*{self.path.suffix}"):
            if partial.name.startswith(begins) and "-" not in partial.name.removeprefix(begins):
                partial.unlink(missing_ok=True)


def _described(position: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in position.items() if isinstance(value, int | float))


def _numbered(tree: ArrayTree, leaves: list[Any]) -> dict[str, Any]:
    """``tree`` with each array replaced by its index in ``leaves``, to which the arrays are appended."""
    numbered: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            numbered[name] = _numbered(value, leaves)
        else:
            numbered[name] = len(leaves)
            leaves.append(value)
    return numbered


def _write(file: ZipFile, header: dict[str, Any], leaves: list[Any]) -> None:
    """Write one array after the other, in pieces, so that the state is not copied in memory."""
    with file.open(HEADER, "w") as entry:
        entry.write(json.dumps(header).encode())
    for number, leaf in enumerate(leaves):
        with file.open(f"{number}.npy", "w", force_zip64=True) as entry:
            np.lib.format.write_array(entry, np.asarray(leaf), allow_pickle=False)


def _read(file: ZipFile, tree: dict[str, Any]) -> ArrayTree:
    """``tree`` with each index replaced by its array."""
    return {
        name: _read(file, value) if isinstance(value, dict) else _read_array(file, value)
        for name, value in tree.items()
    }


def _read_array(file: ZipFile, number: int) -> np.ndarray | np.generic:
    with file.open(f"{number}.npy") as entry:
        return np.lib.format.read_array(entry, allow_pickle=False)[()]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
