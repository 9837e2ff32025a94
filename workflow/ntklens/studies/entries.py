"""The general form of a study's entry: all that the config says about one study on one dataset.

The paper's studies have keys of their own in the config; its models bring them into this form. Names of
recipes are resolved: an entry holds the recipe itself.
"""

from dataclasses import dataclass
from typing import Literal

from ntklens.data.settings import ImageFit
from ntklens.studies.recipes import Vary

OptimiserName = Literal["adam", "sgd"]


@dataclass(frozen=True)
class ConfigRecipe:
    """One recipe, with the keys and defaults of the config's section ``recipes``."""

    optimizer: OptimiserName = "adam"  # adam takes its constants from the config's section ``optimizer``
    momentum: float = 0.0  # of stochastic gradient descent
    learning_rate: float | None = None  # None for the one that calibration finds
    batch_size: int | None = None  # samples of a mini-batch; None for the full batch
    epochs: int | None = None  # that every member trains for; None stops after the least test loss
    evaluate_every: int = 1  # epochs between two evaluations of the losses, in mini-batch training


@dataclass(frozen=True)
class StudyEntry:
    """One study on one dataset. ``None`` takes the value of the config, of its recipe or of its networks."""

    axis: str  # a name of `ntklens.studies.catalogue.AXES`
    dataset: str  # a dataset of the registry, or the path of an .npz file
    networks: tuple[str, ...]
    scales: tuple[int, ...]
    recipe: ConfigRecipe = ConfigRecipe()
    width: int | None = None  # of every hidden layer
    train_samples: int = 100
    balanced: bool = False  # whether a draw holds equally many samples of each class
    draw_seed: int = 0  # where all members share one draw
    sigma: float = 0.01  # of the noise of copies, on the axis removed_share
    image_size: int | None = None  # side in pixels that images are brought to; None leaves them as they are
    image_fit: ImageFit = "resized"  # how images get another size
    vary: Vary = "initialisation"
    calibrate_at: tuple[int, ...] = ()  # scales at which trials are made
    learning_rate: float | None = None
    rate_factor: float = 1.0  # multiplies the rate that calibration finds
    seeds: int | None = None
    min_members: int | None = None
    seeds_per_job: int | None = None
    test_samples: int | None = None  # the first ones, on which the test loss is measured
    ntk_samples: int | None = None  # test samples of one draw that the NTK is measured on
    ntk_draws: int = 1
    spectrum_epochs: tuple[int, ...] | None = None
