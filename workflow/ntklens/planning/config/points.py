"""What follows from one entry of a study alone: its axis, its dataset's name, and its points."""

from pathlib import PurePath

from ntklens.data.settings import DataSettings, ImageSize
from ntklens.planning.config.following import up_to
from ntklens.planning.config.networks import Network
from ntklens.studies.axis import Axis
from ntklens.studies.catalogue import AXES
from ntklens.studies.entries import StudyEntry
from ntklens.studies.jobs import Point

NO_WIDTH = 0  # of a network whose width neither the config nor its study gives


def axis_of_entry(entry: StudyEntry) -> Axis:
    """The axis along which the points of ``entry`` lie."""
    return AXES[entry.axis]


def is_own_file(dataset: str) -> bool:
    """Whether the config's ``dataset`` is the path of a user's file."""
    return dataset.endswith(".npz")


def dataset_name(dataset: str) -> str:
    """The name of the config's ``dataset`` in file names and figures; for a user's file, its stem."""
    return PurePath(dataset).stem if is_own_file(dataset) else dataset


def rate_of_entry(entry: StudyEntry) -> float | None:
    """The learning rate that the config gives for ``entry``; None if calibration finds it."""
    return entry.recipe.learning_rate if entry.learning_rate is None else entry.learning_rate


def spectrum_epochs_of(entry: StudyEntry, of_training: tuple[int, ...]) -> tuple[int, ...]:
    """The epochs at which ``entry`` measures spectra: its own, or those ``of_training`` up to its last."""
    if entry.spectrum_epochs is not None:
        return entry.spectrum_epochs
    return of_training if entry.recipe.epochs is None else up_to(entry.recipe.epochs, of_training)


def point_at(entry: StudyEntry, network: Network, scale: int) -> Point:
    """The point of ``entry`` at ``scale`` for one ``network`` of the config."""
    data = DataSettings(
        train_samples=entry.train_samples,
        balanced=entry.balanced,
        draw_seed=entry.draw_seed if entry.vary == "initialisation" else None,
        image_size=ImageSize(entry.image_size, entry.image_fit) if entry.image_size else None,
        test_samples=entry.test_samples,
    )
    base = Point(network.settings(entry.width or network.width or NO_WIDTH), data)
    return axis_of_entry(entry).at(base, scale, entry)
