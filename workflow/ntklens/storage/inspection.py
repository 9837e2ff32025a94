"""A run file, or any HDF5 file of the workflow, as text."""

import json

import h5py
import numpy as np

from ntklens.spectrum.effective_rank import effective_rank


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
    row_of = _at_minimum if all("minimum" in group for group in seeds) else _at_the_end
    rows = [row_of(group) for group in seeds]
    header = f"  {'seed':>4} {'status':<25} {'epochs':>6} " + " ".join(f"{name:>9}" for name in rows[0])
    return [header, *(_seed_line(group, row) for group, row in zip(seeds, rows, strict=True))]


def _seed_line(group, row):
    seed, epochs = group.name.removeprefix("/seed-"), group["epoch"][-1]
    start = f"  {seed:>4} {group.attrs['status']:<25} {epochs:>6} "
    return start + " ".join(f"{value:>9.5g}" for value in row.values())


def _at_minimum(group):
    """The key quantities of a seed whose minimum was followed."""
    minimum = group["minimum"]
    trace, initial = minimum["ntk_trace"][()], group["trace/ntk_trace"][0]
    return {
        "minimum": minimum["epoch"][()],
        "test loss": minimum["test_loss"][()],
        "Tr min": trace,
        "Tr 0": initial,
        "beta": trace / initial - 1,
        "Gamma": effective_rank(minimum["eigenvalues"][:]),
    }


def _at_the_end(group):
    """The key quantities of any other seed."""
    ranks = effective_rank(group["spectrum/eigenvalues"][:]).mean(axis=1)
    return {
        "test loss": group["test_loss"][-1],
        "train acc": group["train_accuracy"][-1],
        "test acc": group["test_accuracy"][-1],
        "Gamma 0": ranks[0] if len(ranks) else np.nan,
        "Gamma": ranks[-1] if len(ranks) else np.nan,
    }


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
