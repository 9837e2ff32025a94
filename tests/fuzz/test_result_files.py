"""Whatever happens to a file of the workflow, its reader gives what was written or names the file."""

import random
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ntklens.analysis.averages import average
from ntklens.analysis.transition import read_infinite_width
from ntklens.data.settings import DatasetSettings, SplitSettings
from ntklens.data.subsets import read_subset, write_subset
from ntklens.storage.archives import read_file, read_manifest, write_archive
from ntklens.storage.averages import read_averages, write_averages
from ntklens.storage.errors import FileError
from ntklens.storage.hdf5 import add_dataset
from ntklens.storage.records import new_record, read_record, write_record
from ntklens.storage.run_files import read_run_file
from ntklens.storage.run_identity import read_runs
from ntklens.storage.run_writer import write_run
from ntklens.storage.settings import settings_sha256
from ntklens.training.learning_rates import read_rate

from tests.fuzz.outcomes import Outcome
from tests.support.drawn_runs import ROWS, run
from tests.support.measured import FITS
from tests.support.origins import origin, resealed

CURVE = {"study": "deep", "dataset": "digits", "network": "dense"}
SETTINGS = {"curve": CURVE, "scale": 8}
MADE_WITH = settings_sha256(SETTINGS)
SPLIT = SplitSettings("digits", test_samples=6, split_seed=0)
CLOSED_FORM = {"inputs": 64, "hidden_layers": 2, "rows": 8, "mean_square_norm": 9.5, "effective_rank": 5.0}


def write_dataset(path: Path) -> None:
    with new_record(path, "made up", origin("dataset", DatasetSettings("digits"))) as file:
        add_dataset(file, "images", np.arange(80, dtype=np.uint8).reshape(20, 4), "brightness", "1/255")
        add_dataset(file, "labels", np.arange(20, dtype=np.uint8) % 7, "class")
        file.attrs.update({"classes": 7, "white": 255, "test_first": -1, "shape": [2, 2, 1]})


def write_runs(path: Path) -> None:
    write_run(path, [run(seed) for seed in range(3)], origin("run", SETTINGS, seeds=[0, 1, 2], ntk_rows=ROWS))


def written_averages(path: Path) -> None:
    write_averages(path, [average(8, [run(seed) for seed in range(3)], 1)], origin("averages", SETTINGS))


def subset_from(path: Path) -> Any:
    write_subset(path.with_name("again.h5"), path, SPLIT)
    return read_subset(path.with_name("again.h5"))


def packed(path: Path) -> None:
    write_runs(path.with_suffix(".h5"))
    write_archive(
        path, {"runs.h5": path.with_suffix(".h5")}, {"config.yaml": "name: small\n"}, {"name": "small"}
    )


def unpacked(path: Path) -> Any:
    manifest = read_manifest(path)
    return {name: read_file(manifest, name) for name in manifest.files}


# Kind of file -> how one is written, and how it is read.
ARCHIVES = {"archive": (packed, unpacked)}
HDF5: dict[str, tuple[Callable[[Path], object], Callable[[Path], Any]]] = {
    "dataset": (write_dataset, subset_from),
    "run": (write_runs, lambda path: read_run_file(path, MADE_WITH)),
    "averages": (written_averages, lambda path: read_averages(path, MADE_WITH)),
}
JSON: dict[str, tuple[Callable[[Path], object], Callable[[Path], Any]]] = {
    "learning rates": (
        lambda path: write_record(path, {"coefficients": [-0.5, 1.0]}, origin("learning rates", SETTINGS)),
        lambda path: read_rate(path, 8, MADE_WITH),
    ),
    "infinite width": (
        lambda path: write_record(path, CLOSED_FORM, origin("infinite width", SETTINGS)),
        lambda path: read_infinite_width(path, MADE_WITH),
    ),
    "power laws": (
        lambda path: write_record(path, FITS["power-laws"]([8, 16, 32]), origin("power laws", SETTINGS)),
        lambda path: read_record(path, "power laws", MADE_WITH),
    ),
}


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("originals")
    for name, (write, _) in {**HDF5, **JSON, **ARCHIVES}.items():
        write(folder / name)
    return folder


@cache
def read_once(path: Path) -> Any:
    """What the undamaged file ``path``, named by its kind, holds."""
    return {**HDF5, **JSON, **ARCHIVES}[path.name][1](path)


def damaged(content: bytes, random: random.Random) -> bytes:
    """``content`` after one of the accidents that befall files."""
    start, length = random.randrange(len(content)), random.choice([1, 8, 64, 512, 4096])
    accident = random.choice(["bit", "bits", "zeros", "noise", "cut", "cut out", "twice", "more"])
    changed = bytearray(content)
    if accident in ("bit", "bits"):
        for _ in range(1 if accident == "bit" else length):
            changed[random.randrange(len(content))] ^= 1 << random.randrange(8)
    elif accident == "zeros":
        changed[start : start + length] = bytes(len(changed[start : start + length]))
    elif accident == "noise":
        changed[start : start + length] = random.randbytes(len(changed[start : start + length]))
    elif accident == "cut":
        del changed[start:]
    elif accident == "cut out":
        del changed[start : start + length]
    elif accident == "twice":
        changed[start:start] = changed[start : start + length]
    else:
        changed += random.randbytes(length)
    return bytes(changed)


def outcome_of(path: Path, read: Callable[[Path], Any], expected: Any) -> Outcome:
    """What became of reading ``path``, which held what is ``expected`` before it was changed."""
    try:
        found = read(path)
    except FileError as error:
        text = str(error)
        return Outcome.REFUSED if str(path) in text and "\n" not in text else Outcome.TRACEBACK
    except Exception:
        return Outcome.TRACEBACK
    return Outcome.RIGHT if repr(found) == repr(expected) else Outcome.WRONG


@pytest.mark.parametrize("kind", [*HDF5, *JSON, *ARCHIVES])
@given(random=st.randoms(use_true_random=False))
def test_a_damaged_file_is_never_read_as_another(tally, originals, tmp_path, kind, random) -> None:
    _, read = {**HDF5, **JSON, **ARCHIVES}[kind]
    expected, path = read_once(originals / kind), tmp_path / kind
    path.write_bytes(damaged((originals / kind).read_bytes(), random))
    outcome = outcome_of(path, read, expected)
    format = "HDF5" if kind in HDF5 else "JSON" if kind in JSON else "archives"
    tally(f"damaged {format}")(outcome)
    assert outcome in (Outcome.RIGHT, Outcome.REFUSED)


@given(random=st.randoms(use_true_random=False))
def test_a_file_in_the_place_of_another_is_named(tally, originals, tmp_path, random) -> None:
    """Of another kind, or of the same kind and made with other settings."""
    readers = {**HDF5, **JSON}
    kind, other = random.choice(list(readers)), random.choice(list(readers))
    path = tmp_path / kind
    shutil.copy(originals / other, path)
    if other == kind and kind in HDF5:
        with resealed(path) as file:
            file.attrs["settings_sha256"] = f"{random.getrandbits(256):064x}"
    elif other == kind:
        write_record(
            path, {}, {**origin("run"), "kind": kind, "settings_sha256": f"{random.getrandbits(256):064x}"}
        )
    outcome = outcome_of(path, readers[kind][1], None)
    tally("files in the place of others")(outcome)
    assert outcome == Outcome.REFUSED


# Values that no training gives: losses and traces may be of any size, the others may not.
NEVER = (np.nan, np.inf, -np.inf, -1.0, -1e30)
IMPOSSIBLE = {
    **dict.fromkeys(("train_loss", "test_loss", "spectrum/ntk_trace"), NEVER),
    **dict.fromkeys(
        (
            "test_accuracy",
            "spectrum/eigenvalues",
            "trace/ntk_trace",
            "minimum/ntk_trace",
            "minimum/test_loss",
            "minimum/eigenvalues",
        ),
        (*NEVER, 1e30),
    ),
}


@given(random=st.randoms(use_true_random=False))
def test_impossible_numbers_of_a_whole_run_file_are_named(tally, originals, tmp_path, random) -> None:
    """Under a right seal: the fault of a program, not of a disk."""
    path = tmp_path / "depth-2" / "seeds-0-2.h5"
    path.parent.mkdir(exist_ok=True)
    shutil.copy(originals / "run", path)
    seed, name = random.randrange(3), random.choice(list(IMPOSSIBLE))
    with resealed(path) as file:
        values = file[f"seed-000{seed}/{name}"]
        flat = np.asarray(values[()], dtype=np.float64).ravel()
        flat[random.randrange(flat.size)] = random.choice(IMPOSSIBLE[name])
        values[...] = flat.reshape(values.shape)
    try:
        read_runs([path], {"depth-2": MADE_WITH}, seeds=3)
        outcome = Outcome.WRONG
    except FileError as error:
        named = str(error).startswith(f"{path}: of seed {seed}, ")
        outcome = Outcome.REFUSED if named else Outcome.TRACEBACK
    except Exception:
        outcome = Outcome.TRACEBACK
    tally("impossible numbers in run files")(outcome)
    assert outcome == Outcome.REFUSED
