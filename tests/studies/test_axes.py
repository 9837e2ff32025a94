"""Every axis of the catalogue keeps to what CONTRIBUTING.md says of axes."""

from dataclasses import replace

import pytest
from ntklens.data.registry import facts_of
from ntklens.data.settings import DataSettings, ImageSize, NoisyCopies
from ntklens.networks.architectures import NetworkSettings
from ntklens.studies.catalogue import AXES
from ntklens.studies.entries import StudyEntry
from ntklens.studies.jobs import Point

NETWORK = NetworkSettings(hidden_layers=2, width=6)
COPIES, SIZE = NoisyCopies(removed_percent=0, sigma=0.02), ImageSize(pixels=1, fit="zero-padded")
DATA = DataSettings(train_samples=60, balanced=False, draw_seed=0, noisy_copies=COPIES, image_size=SIZE)
POINT = Point(NETWORK, DATA)
# axis: a scale, the part of a point that it changes, and what becomes of that part
CHANGES = {
    "width": (64, "network", replace(NETWORK, width=64)),
    "depth": (5, "network", replace(NETWORK, hidden_layers=5)),
    "train_samples": (90, "data", replace(DATA, train_samples=90)),
    "removed_share": (50, "data", replace(DATA, noisy_copies=replace(COPIES, removed_percent=50))),
    "input_size": (16, "data", replace(DATA, image_size=replace(SIZE, pixels=16))),
}
# axis: noisy copies and image size that it makes from an entry, at the scale above
FROM_ENTRY = {
    "removed_share": (NoisyCopies(removed_percent=50, sigma=0.02), None),
    "input_size": (None, ImageSize(pixels=16, fit="zero-padded")),
}


def entry(axis):
    return StudyEntry(axis, "digits", ("dense",), (8,), sigma=0.02, image_fit="zero-padded")


def test_every_axis_has_its_case():
    assert set(CHANGES) == set(AXES)


@pytest.mark.parametrize("name", AXES)
def test_axis_changes_what_it_says_and_nothing_else(name):
    scale, part, expected = CHANGES[name]
    assert AXES[name].at(POINT, scale, entry(name)) == replace(POINT, **{part: expected})


@pytest.mark.parametrize("name", AXES)
def test_axis_takes_its_own_settings_from_an_entry_and_no_others(name):
    base = Point(NETWORK, DataSettings(train_samples=60, balanced=True, draw_seed=3))
    found = AXES[name].at(base, CHANGES[name][0], entry(name)).data
    assert (found.noisy_copies, found.image_size) == FROM_ENTRY.get(name, (None, None))
    assert (found.balanced, found.draw_seed) == (True, 3)


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
        ("input_size", 7, None),
    ],
)
def test_axis_says_which_points_cannot_be(name, scale, problem):
    axis = AXES[name]
    assert axis.problem(scale, axis.at(POINT, scale, entry(name)), facts_of("digits")) == problem
