"""The settings of a split and of a training set: plain names and numbers, also used to estimate costs.

This module does not import NumPy: Snakemake imports it in every job that it starts.
"""

from dataclasses import dataclass, field
from typing import Literal

from ntklens.storage.defaults import UNLESS_DEFAULT

ImageFit = Literal["resized", "zero-padded"]


@dataclass(frozen=True)
class DatasetSettings:
    """Which dataset a file holds.

    ``data_dir`` is the folder that modified data come from. None for other data: their bytes are checked, so
    the folder makes no difference.
    """

    dataset: str
    data_dir: str | None = field(default=None, metadata=UNLESS_DEFAULT)


@dataclass(frozen=True)
class SplitSettings:
    """How a dataset is split into train pool and test samples."""

    dataset: str
    test_samples: int  # at most; a dataset's own test part gives no more than it has
    split_seed: int
    data_dir: str | None = field(default=None, metadata=UNLESS_DEFAULT)  # as in `DatasetSettings`


@dataclass(frozen=True)
class NoisyCopies:
    """The share of each class that noisy copies of the rest replace (`ntklens.data.noisy_copies`)."""

    removed_percent: int
    sigma: float  # standard deviation of the noise; pixels lie in [0, 1]


@dataclass(frozen=True)
class ImageSize:
    """The side that images are brought to (`ntklens.data.image_sizes`)."""

    pixels: int
    fit: ImageFit


@dataclass(frozen=True)
class DataSettings:
    """The training set of one point of a study (`ntklens.data.training_sets`), and the test set's size."""

    train_samples: int
    balanced: bool  # whether a draw holds equally many samples of each class
    draw_seed: int | None  # seed of the draw; None takes each member's own seed
    noisy_copies: NoisyCopies | None = None
    image_size: ImageSize | None = None
    # The first test samples, on which the test loss is measured; None for all.
    test_samples: int | None = field(default=None, metadata=UNLESS_DEFAULT)


# Name of a setting that may be None -> the module that implements it. If the setting is None, its module is
# not imported, so that editing it reruns only jobs that use it. Rules name the modules that settings need.
OPTIONAL_MODULES = {"noisy_copies": "ntklens.data.noisy_copies", "image_size": "ntklens.data.image_sizes"}


def optional_modules_of(settings: object) -> list[str]:
    """The `OPTIONAL_MODULES` that ``settings``, such as `DataSettings`, need."""
    return [module for key, module in OPTIONAL_MODULES.items() if getattr(settings, key, None) is not None]
