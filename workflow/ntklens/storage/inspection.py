"""The content of a run file, or of any HDF5 file of the workflow, as text."""

import json
from typing import Any

import h5py
import numpy as np

from ntklens.spectrum.effective_rank import effective_rank
from ntklens.storage.files import FilePath
from ntklens.storage.hdf5 import get_group, groups_in, read_array, read_json_attribute, read_text
from ntklens.storage.labels import PLOT_ATTRIBUTES
from ntklens.storage.run_code import code_of_run, present_code_sha256
from ntklens.storage.sealing import check_hdf5, is_sealed, require_regular


def describe(path: FilePath) -> list[str]:
    """The lines that `python -m ntklens inspect` prints.

    Raises OSError if ``path`` is not an HDF5 file, and FileError if it is one of the workflow and damaged.
    """
    require_regular(path)
    if is_sealed(path):
        check_hdf5(path)
    with h5py.File(path) as file:
        lines = [f"{path}: {file.attrs.get('description', 'no description')}", "", "provenance"]
        lines += [f"  {name}: {_shown(value)}" for name, value in _root_attributes(file)]
        lines += _code_compared(file)
        seeds = [group for name, group in groups_in(file).items() if name.startswith("seed-")]
        if seeds:
            lines += ["", "seeds", *_seed_table(seeds)]
        lines += ["", "content", *_tree(file, depth=1)]
    return lines


def _root_attributes(file: h5py.File) -> list[tuple[str, Any]]:
    hidden = ("description", *PLOT_ATTRIBUTES)
    return [(name, value) for name, value in file.attrs.items() if name not in hidden]


def _code_compared(file: h5py.File) -> list[str]:
    """One line that compares the code of a run file with the present code; none for other files."""
    if "code_sha256" not in file.attrs:
        return []
    present = present_code_sha256(read_json_attribute(file, "code_roots"))
    if read_text(file, "code_sha256") == present:
        return ["  made by the present code"]
    return [f"  made by other code than the present one: {code_of_run(str(file.filename))}"]


def _shown(value: Any) -> str:
    """An attribute on one line; JSON without its quotes and braces."""
    if isinstance(value, str) and value.startswith(("{", "[")):
        try:
            content = json.loads(value)
        except (ValueError, RecursionError):  # text such as "[draft] …", in files of other programs
            return value
        if isinstance(content, dict):
            return ", ".join(f"{key} {_shown_inner(inner)}" for key, inner in content.items())
        return _shown_inner(content)
    return "empty" if isinstance(value, h5py.Empty) else str(value)


def _shown_inner(value: Any) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(f"{key} {_shown_inner(inner)}" for key, inner in value.items()) + ")"
    if isinstance(value, list):
        return " ".join(_shown_inner(item) for item in value)
    return str(value)


def _seed_table(seeds: list[h5py.Group]) -> list[str]:
    row_of = _at_minimum if all("minimum" in group for group in seeds) else _at_the_end
    rows = [row_of(group) for group in seeds]
    header = f"  {'seed':>4} {'status':<25} {'epochs':>6} " + " ".join(f"{name:>9}" for name in rows[0])
    return [header, *(_seed_line(group, row) for group, row in zip(seeds, rows, strict=True))]


def _seed_line(group: h5py.Group, row: dict[str, Any]) -> str:
    seed, epochs = str(group.name).removeprefix("/seed-"), read_array(group, "epoch")[-1]
    start = f"  {seed:>4} {read_text(group, 'status'):<25} {epochs:>6} "
    return start + " ".join(f"{value:>9.5g}" for value in row.values())


def _at_minimum(group: h5py.Group) -> dict[str, Any]:
    """The key quantities of a seed whose minimum was followed."""
    minimum = get_group(group, "minimum")
    trace, initial = read_array(minimum, "ntk_trace")[()], read_array(group, "trace/ntk_trace")[0]
    return {
        "minimum": read_array(minimum, "epoch")[()],
        "test loss": read_array(minimum, "test_loss")[()],
        "Tr min": trace,
        "Tr 0": initial,
        "beta": trace / initial - 1,
        "Gamma": effective_rank(read_array(minimum, "eigenvalues")),
    }


def _at_the_end(group: h5py.Group) -> dict[str, Any]:
    """The key quantities of a seed without a minimum, at its last epoch."""
    ranks = np.asarray(effective_rank(read_array(group, "spectrum/eigenvalues"))).mean(axis=1)
    return {
        "test loss": read_array(group, "test_loss")[-1],
        "train acc": read_array(group, "train_accuracy")[-1],
        "test acc": read_array(group, "test_accuracy")[-1],
        "Gamma 0": ranks[0] if len(ranks) else np.nan,
        "Gamma": ranks[-1] if len(ranks) else np.nan,
    }


def _tree(group: h5py.Group, depth: int) -> list[str]:
    """One line for each group and dataset in ``group``."""
    lines: list[str] = []
    indent = "  " * depth
    for name in group:
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.SoftLink | h5py.ExternalLink):  # it may lead nowhere, or back to this group
            other_file = f"{link.filename}:" if isinstance(link, h5py.ExternalLink) else ""
            lines.append(f"{indent}{name}  -> {other_file}{link.path}")
            continue
        item = group[name]
        description = item.attrs.get("description", "")
        if isinstance(item, h5py.Group):
            lines.append(f"{indent}{name}/  {description}")
            lines += _tree(item, depth + 1)
        elif isinstance(item, h5py.Dataset):
            lines.append(f"{indent}{name}  {_shape(item)}  {description}{_units(item)}")
    return lines


def _shape(dataset: h5py.Dataset) -> str:
    """Shape and type of ``dataset``, or the value of a scalar that is a number or a text."""
    if dataset.shape is None:
        return f"empty {dataset.dtype}"
    if dataset.shape == () and np.issubdtype(dataset.dtype, np.number):
        return f"= {np.asarray(dataset[()]).item():.6g}"
    if dataset.shape == () and h5py.check_string_dtype(dataset.dtype):
        return f"= {' '.join(bytes(dataset[()]).decode('utf-8', 'replace').split())}"
    if dataset.shape == ():
        return f"scalar {dataset.dtype}"
    return f"{'×'.join(map(str, dataset.shape))} {dataset.dtype}"


def _units(dataset: h5py.Dataset) -> str:
    units = str(dataset.attrs.get("units", "1"))
    return "" if units == "1" else f" [{units}]"
