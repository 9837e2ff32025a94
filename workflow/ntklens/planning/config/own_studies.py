"""Studies of a user's own, whose entries have the general form."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from ntklens.data.settings import ImageFit
from ntklens.planning.config.base import (
    Anchors,
    Count,
    EpochList,
    Names,
    Number,
    Rate,
    ScalesFromZero,
    Seeds,
    Sigma,
    Whole,
    key,
    refused,
    shortened,
)
from ntklens.planning.config.entries import MIN_MEMBERS, SEEDS, SEEDS_PER_JOB, EntrySection, kept
from ntklens.studies.catalogue import AXES, PAPERS_RECIPE
from ntklens.studies.entries import ConfigRecipe, StudyEntry
from ntklens.studies.recipes import Vary


def _as_axis(name: str) -> str:
    if name not in AXES:
        raise refused(f"unknown {shortened(name)}; allowed are {', '.join(AXES)}")
    return name


AxisName = Annotated[str, AfterValidator(_as_axis), Field(json_schema_extra={"enum": list(AXES)})]


class OwnStudyEntry(EntrySection):
    """This is a study of your own; the paper's are called model-scaling, data-scaling and noise-scaling."""

    axis: AxisName = key(..., f"What the scale changes: {', '.join(AXES)}.")
    networks: Names = key(
        ..., "Names from the section `networks`. Convolutional ones need a recipe with a batch_size."
    )
    scales: ScalesFromZero = key(..., "The points of the curve, as whole numbers in the unit of the axis.")
    recipe: str = key(PAPERS_RECIPE, "A name from the section `recipes`.")
    width: Count | None = key(
        StudyEntry.width,
        "Units of every hidden layer. null takes the width of each network. Not on the axis width, whose "
        "scale it is.",
        unit="units",
    )
    train_samples: Count = key(
        StudyEntry.train_samples,
        "Training samples, at most a third of the training pool. Not on the axis train_samples, whose scale "
        "it is.",
        unit="samples",
    )
    balanced: bool = key(
        StudyEntry.balanced,
        "Whether a draw of training samples has equally many of each class. A single draw for all seeds may "
        "then be as large as the scarcest class allows.",
    )
    vary: Vary = key(StudyEntry.vary, "What the seeds of an ensemble differ in.")
    draw_seed: Whole = key(
        StudyEntry.draw_seed,
        "Seed of the training samples, which all seeds share. Only where they vary in the initialisation "
        "alone.",
    )
    sigma: Sigma = key(
        StudyEntry.sigma,
        "Standard deviation of the noise in copies; pixels lie between 0 and 1.",
        axis="removed_share",
    )
    image_size: Count | None = key(
        StudyEntry.image_size,
        "Side in pixels that all images are brought to. null leaves them as they are. Not on the axis "
        "input_size, whose scale it is.",
        unit="pixels",
    )
    image_fit: ImageFit = key(
        StudyEntry.image_fit,
        "How images get another size: resized by bilinear interpolation, or zero-padded with black pixels "
        "around the unchanged image. Only with image_size or on the axis input_size.",
    )
    calibrate_at: Anchors = key(
        StudyEntry.calibrate_at,
        "Scales at which calibration makes trials. Every scale must lie within a factor 2 of their range, so "
        "none may be 0. Not needed if a learning rate is given.",
    )
    learning_rate: Rate | None = key(
        StudyEntry.learning_rate,
        "Learning rate of all points. null takes that of the recipe, or else finds one by calibration.",
    )
    rate_factor: Number = key(
        StudyEntry.rate_factor,
        "Factor by which the learning rate from calibration is multiplied. A minimum's epoch goes roughly as "
        "1/rate, so it then lies elsewhere in the window, or outside. Only without a learning_rate.",
        ge=1e-6,
        le=1e6,
    )
    seeds: Seeds | None = SEEDS
    min_members: Seeds | None = MIN_MEMBERS
    seeds_per_job: Seeds | None = SEEDS_PER_JOB
    test_samples: Count | None = key(
        StudyEntry.test_samples,
        "Test samples on which the test loss is measured: the first ones. null takes all, as the top-level "
        "`test_samples` says.",
        unit="samples",
    )
    ntk_samples: Count | None = key(
        StudyEntry.ntk_samples,
        "Test samples in each draw on which the NTK is measured. null takes the top-level `ntk_samples`.",
        unit="samples",
    )
    ntk_draws: Count = key(
        StudyEntry.ntk_draws,
        "Disjoint draws of test samples on which the spectrum is measured. Traces and the minimum are "
        "measured on the first draw.",
        unit="draws",
    )
    spectrum_epochs: EpochList | None = key(
        StudyEntry.spectrum_epochs,
        "Epochs at which the spectrum is measured. null takes `training.spectrum_epochs`, up to the last of "
        "the recipe's epochs.",
        unit="epochs",
    )

    def general(self, recipes: Mapping[str, ConfigRecipe], test_samples: int) -> StudyEntry:
        """The entry in the general form."""
        return StudyEntry(recipe=recipes[self.recipe], **kept(self, "recipe"))
