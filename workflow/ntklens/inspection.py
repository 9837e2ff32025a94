"""A run file, or any HDF5 file of the workflow, as text."""

import json

import h5py
import numpy as np

from ntklens.spectrum import effective_rank


def describe(path):
    """The lines that `python -m ntklens inspect` prints. Raises OSError where ``path`` is no HDF5 file."""
    with h5py.File(path) as file:
        lines = [f"{path}: {file.attrs.get('description', 'no description')}", "", "provenance"]
        lines += [f"  {name}: {_shown(value)}" for name, value in _root_attributes(file)]
        seeds = [group for name, group in file.items() if name.startswith("seed-")]
        if seeds:
            lines += ["", "seeds", *_seed_table(seeds)]
        lines += ["", "content", *_tree(file, depth=1)]
    return lines


def _root_attributes(file):
    return [(name, value) for name, value in file.attrs.items() if name != "description"]


def _shown(value):
    """An attribute on one line; JSON without its quotes and braces."""
    if isinstance(value, str) and value.startswith(("{", "[")):
        content = json.loads(value)
        if isinstance(content, dict):
            return ", ".join(f"{key} {_shown_inner(inner)}" for key, inner in content.items())
        return _shown_inner(content)
    return str(value)


def _shown_inner(value):
    if isinstance(value, dict):
        return "(" + ", ".join(f"{key} {_shown_inner(inner)}" for key, inner in value.items()) + ")"
    if isinstance(value, list):
        return " ".join(str(item) for item in value)
    return str(value)


def _seed_table(seeds):
    columns = ("minimum", "test loss", "Tr min", "Tr 0", "beta", "Gamma")
    header = f"  {'seed':>4} {'status':<25} {'epochs':>6} " + " ".join(f"{c:>9}" for c in columns)
    return [header, *(_seed_row(group) for group in seeds)]


def _seed_row(group):
    minimum = group["minimum"]
    trace, initial = minimum["ntk_trace"][()], group["trace/ntk_trace"][0]
    values = (
        minimum["epoch"][()],
        minimum["test_loss"][()],
        trace,
        initial,
        trace / initial - 1,
        effective_rank(minimum["eigenvalues"][:]),
    )
    seed, epochs = group.name.removeprefix("/seed-"), len(group["epoch"]) - 1
    start = f"  {seed:>4} {group.attrs['status']:<25} {epochs:>6} "
    return start + " ".join(f"{value:>9.5g}" for value in values)


def _tree(group, depth):
    lines, indent = [], "  " * depth
    for name, item in group.items():
        description = item.attrs.get("description", "")
        if isinstance(item, h5py.Group):
            lines.append(f"{indent}{name}/  {description}")
            lines += _tree(item, depth + 1)
        else:
            lines.append(f"{indent}{name}  {_shape(item)}  {description}{_units(item)}")
    return lines


def _shape(dataset):
    if dataset.shape == ():
        return f"= {np.asarray(dataset[()]).item():.6g}"
    return f"{'×'.join(map(str, dataset.shape))} {dataset.dtype}"


def _units(dataset):
    units = dataset.attrs.get("units", "1")
    return "" if units == "1" else f" [{units}]"
