"""The config's sections on ensembles, optimisers, recipes, training, calibration and analysis."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ntklens.analysis.settings import Window
from ntklens.planning.config import following
from ntklens.planning.config.base import (
    MOST_EPOCHS,
    MOST_SEEDS,
    NAME,
    Count,
    Decay,
    EpochList,
    Epochs,
    Follows,
    Number,
    Rate,
    Section,
    Seeds,
    key,
    names_checked,
    section,
)
from ntklens.studies.catalogue import PAPERS_RECIPE
from ntklens.studies.entries import ConfigRecipe, OptimiserName
from ntklens.training.optimisers import Adam


class EnsembleSection(Section):
    """How many seeds are trained, and how many of them are needed."""

    seeds: Seeds = key(5, "Seeds of every ensemble. The paper trains 20.", unit="seeds")
    min_members: Seeds = key(
        Follows(following.min_members, f"{following.MIN_MEMBERS}, or `seeds` if they are fewer"),
        "Averaging fails if fewer seeds than this ended well.",
        unit="seeds",
        stated=False,
    )


class AdamSection(Section):
    """Adam's constants."""

    b1: Decay = key(0.9, "Decay rate of the mean gradient. The paper calls it momentum.")
    b2: Decay = key(0.999, "Decay rate of the mean squared gradient.", stated=False)
    eps: Number = key(1e-8, "Added to the root of the mean squared gradient.", ge=1e-30, le=1, stated=False)

    def settings(self) -> Adam:
        return Adam(self.b1, self.b2, self.eps)


class RecipeSection(Section):
    """One way to train."""

    optimizer: OptimiserName = key(
        ConfigRecipe.optimizer, "The optimiser. adam takes its constants from the section `optimizer`."
    )
    momentum: Decay = key(ConfigRecipe.momentum, "Momentum of stochastic gradient descent. Only with sgd.")
    learning_rate: Rate | None = key(
        ConfigRecipe.learning_rate,
        "Learning rate of all points. null finds one by calibration, which needs training that stops once "
        "the test loss has passed its minimum.",
    )
    batch_size: Count | None = key(
        ConfigRecipe.batch_size,
        "Samples of one update. null takes all training samples, so that an epoch is one update.",
        unit="samples",
    )
    epochs: Epochs | None = key(
        ConfigRecipe.epochs,
        "Epochs that every seed trains for; only spectra are then measured. null stops once the test loss "
        "has passed its minimum, as the section `training` says.",
        unit="epochs",
    )
    evaluate_every: Count = key(
        ConfigRecipe.evaluate_every,
        "Epochs between two measurements of losses and accuracies. Only with a batch_size.",
        unit="epochs",
    )

    def settings(self) -> ConfigRecipe:
        return ConfigRecipe(**{name: getattr(self, name) for name in type(self).model_fields})


def _with_the_papers(recipes: Mapping[str, RecipeSection]) -> Mapping[str, RecipeSection]:
    return MappingProxyType({PAPERS_RECIPE: RecipeSection(), **recipes})


Recipes = Annotated[
    Mapping[str, RecipeSection],
    Field(json_schema_extra={"propertyNames": {"pattern": f"^{NAME}$"}}),
    BeforeValidator(names_checked(NAME, "recipe")),
    AfterValidator(_with_the_papers),
]


class WindowSection(Section):
    """The epochs between which the minimum of the test loss should lie."""

    first: Epochs = key(
        following.FIRST,
        "First epoch of the window. The paper: 400. If `last` alone is given and not beyond it, two fifths "
        "of `last`.",
        unit="epochs",
    )
    last: int = key(
        following.LAST,
        "Last epoch of the window. The paper: 1000. If `first` alone is given and not before it, two and a "
        "half times `first`.",
        unit="epochs",
        ge=2,
        le=following.LATEST,
    )

    @model_validator(mode="before")
    @classmethod
    def _is_whole(cls, data: Any) -> Any:
        return following.whole_window(data)

    def settings(self) -> Window:
        return Window(self.first, self.last)


class TrainingSection(Section):
    """How long the scaling studies train, and when they measure."""

    window: WindowSection = section(
        WindowSection, "Epochs between which the minimum of the test loss should lie."
    )
    patience: Number = key(
        1.2,
        "A seed stops once its epoch is this many times that of its least test loss, and this many times the "
        "window's geometric middle. While its least test loss lies before the window, it trains to the "
        "window's last epoch at least.",
        gt=1,
        le=1e6,
        stated=False,
    )
    max_epochs: int = key(
        Follows(following.max_epochs, "three times the window's last: 1200"),
        "Epoch at which every seed stops. Averages leave out a seed that is not finished by then.",
        unit="epochs",
        ge=2,
        le=MOST_EPOCHS,
        stated=False,
    )
    test_every: Count = key(
        Follows(following.test_every, f"{following.TEST_EVERY}, scaled as the window"),
        "Epochs between two evaluations of the test loss in full-batch training. Its minimum is found to the "
        "epoch all the same: training is repeated around the grid's minimum, evaluated at every epoch. "
        "Dense networks of fewer than 32 units a layer evaluate at every epoch throughout.",
        unit="epochs",
        stated=False,
    )
    trace_every: Count = key(
        Follows(following.trace_every, f"{following.TRACE_EVERY}, scaled as the window"),
        "Epochs between two measurements of the NTK's trace.",
        unit="epochs",
        stated=False,
    )
    spectrum_epochs: EpochList = key(
        Follows(following.spectrum_epochs, "12 values from 0 to 260, scaled as the window"),
        "Epochs at which the NTK's spectrum and the alignments are measured, ascending from 0 to at most the "
        "window's last. The spectrum is always measured at the minimum too.",
        unit="epochs",
        stated=False,
    )
    save_parameters: int = key(
        1,
        "Seeds, counted from the first, whose parameters at the minimum are kept.",
        unit="seeds",
        ge=0,
        le=MOST_SEEDS,
    )


class CalibrationSection(Section):
    """How the learning rates of a curve are found."""

    seeds: Seeds = key(3, "Seeds of one trial.", unit="seeds", stated=False)
    tolerance: Number = key(
        1.2,
        "A trial succeeds if its minimum's epoch lies within this factor of the window's geometric middle. "
        "If none does, the best of those with enough seeds inside the window will do.",
        gt=1,
        le=1e6,
        stated=False,
    )
    share_inside: Number = key(
        0.6,
        "Share of a trial's seeds whose minimum must lie inside the window. Calibration fails at a scale "
        "where no rate achieves this.",
        gt=0,
        le=1,
        stated=False,
    )
    max_trials: int = key(
        8, "Trials at one scale before its search ends.", unit="trials", stated=False, ge=1, le=1000
    )
    first_rate: Rate = key(0.001, "Learning rate of a curve's first trial.", stated=False)


class AnalysisSection(Section):
    """How numbers are made from trajectories."""

    smoothing_epochs: Count | None = key(
        None,
        "Length of the running mean before the adaptation rate is taken; a multiple of training.trace_every. "
        "null takes the multiple nearest to 8, scaled as the window. The paper: 20, with a window from 400 "
        "to 1000.",
        unit="epochs",
    )
    resamples: Annotated[int, Field(ge=100, le=100_000)] = key(
        2000,
        "Resamples of the members from which intervals are made, and simulations by which a power law is "
        "tested against a law with a bend.",
        stated=False,
    )
