"""Every axis of the catalogue keeps to what CONTRIBUTING.md says of axes."""

import copy

import pytest
from ntklens.data.registry import facts_of
from ntklens.studies.catalogue import AXES

NETWORK = {"hidden_layers": 2, "width": 6}
DATA = {
    "train_samples": 60,
    "noisy_copies": {"sigma": 0.01},
    "image_size": {"fit": "zero-padded"},
}
POINT = {"network": NETWORK, "data": DATA}
# axis: a scale, the part of a point that it changes, and what becomes of that part
CHANGES = {
    "width": (64, "network", {"hidden_layers": 2, "width": 64}),
    "depth": (5, "network", {"hidden_layers": 5, "width": 6}),
    "train_samples": (90, "data", {**DATA, "train_samples": 90}),
    "removed_share": (50, "data", {**DATA, "noisy_copies": {"sigma": 0.01, "removed_percent": 50}}),
    "input_size": (16, "data", {**DATA, "image_size": {"fit": "zero-padded", "pixels": 16}}),
}


def test_every_axis_has_its_case():
    assert set(CHANGES) == set(AXES)


@pytest.mark.parametrize("name", AXES)
def test_axis_changes_what_it_says_and_nothing_else(name):
    scale, part, expected = CHANGES[name]
    before = copy.deepcopy(POINT)
    found = AXES[name].at(POINT, scale)
    assert found == {**before, part: expected}
    assert before == POINT, "an axis must not change the point it is given"


@pytest.mark.parametrize("name", AXES)
def test_axis_can_be_named_in_files_and_figures(name):
    axis = AXES[name]
    assert axis.name == name
    assert axis.folder.format(scale=7).endswith("-7")
    assert axis.symbol
    assert axis.label
    assert axis.least in (0, 1)


def test_folders_of_different_axes_differ():
    assert len({axis.folder for axis in AXES.values()}) == len(AXES)


@pytest.mark.parametrize(
    ("name", "scale", "problem"),
    [
        ("width", 10_000, None),
        ("removed_share", 80, None),
        ("removed_share", 95, "95 % leaves none of the 6 samples of a class"),
        ("removed_share", 100, "100 % leaves none of the 6 samples of a class"),
        ("input_size", 8, None),
        ("input_size", 7, "images of 8 pixels a side cannot be zero-padded to 7; take at least 8"),
    ],
)
def test_axis_says_which_points_cannot_be(name, scale, problem):
    axis = AXES[name]
    assert axis.problem(scale, axis.at(POINT, scale), facts_of("digits")) == problem
