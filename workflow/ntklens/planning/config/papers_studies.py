"""The paper's three studies, whose entries have keys of their own (App. D)."""

from collections.abc import Mapping

from ntklens.planning.config import following
from ntklens.planning.config.base import (
    LARGEST_COUNT,
    Count,
    Decay,
    EpochList,
    Epochs,
    Follows,
    Names,
    Percentages,
    Rate,
    Scales,
    Seeds,
    Sigma,
    Whole,
    key,
)
from ntklens.planning.config.entries import MIN_MEMBERS, SEEDS, SEEDS_PER_JOB, EntrySection, kept
from ntklens.studies.catalogue import PAPERS_RECIPE
from ntklens.studies.entries import ConfigRecipe, StudyEntry

_CALIBRATE_AT = key(
    ...,
    "Scales at which calibration makes trials. Every scale must lie within a factor 2 of their range.",
    stated=False,
)
_LEARNING_RATE = key(None, "Learning rate of all points. null finds one by calibration.", stated=False)


class ModelScalingEntry(EntrySection):
    """Width grows while the training data stay the same."""

    networks: Names = key(
        ("three-layer", "four-layer"), "Names of dense networks from the section `networks`."
    )
    widths: Scales = key(
        ..., "Units of every hidden layer, one width for each point.", unit="units", stated=False
    )
    train_samples: Count = key(100, "Training samples: one random draw that all seeds share.", unit="samples")
    calibrate_at: Scales = _CALIBRATE_AT
    learning_rate: Rate | None = _LEARNING_RATE
    seeds: Seeds | None = SEEDS
    min_members: Seeds | None = MIN_MEMBERS
    seeds_per_job: Seeds | None = SEEDS_PER_JOB

    def general(self, recipes: Mapping[str, ConfigRecipe], test_samples: int) -> StudyEntry:
        """The entry in the general form."""
        return StudyEntry(
            axis="width", scales=self.widths, recipe=recipes[PAPERS_RECIPE], **kept(self, "widths")
        )


class DataScalingEntry(EntrySection):
    """The training data grow while the network stays the same."""

    networks: Names = key(("four-layer",), "Names of dense networks from the section `networks`.")
    width: Count = key(8, "Units of every hidden layer.", unit="units")
    sizes: Scales = key(
        ...,
        "Training samples, one number for each point, at most a third of the training pool. A seed's draws "
        "are nested: a smaller draw is the beginning of a larger one.",
        unit="samples",
        stated=False,
    )
    vary_initialisation: bool = key(
        False, "Whether seeds differ in their initialisation too, or in their data only.", stated=False
    )
    calibrate_at: Scales = _CALIBRATE_AT
    learning_rate: Rate | None = _LEARNING_RATE
    seeds: Seeds | None = SEEDS
    min_members: Seeds | None = MIN_MEMBERS
    seeds_per_job: Seeds | None = SEEDS_PER_JOB

    def general(self, recipes: Mapping[str, ConfigRecipe], test_samples: int) -> StudyEntry:
        """The entry in the general form."""
        return StudyEntry(
            axis="train_samples",
            scales=self.sizes,
            recipe=recipes[PAPERS_RECIPE],
            vary="both" if self.vary_initialisation else "data",
            **kept(self, "sizes", "vary_initialisation"),
        )


class NoiseScalingEntry(EntrySection):
    """Growing shares of the training data are replaced by noisy copies of the rest."""

    networks: Names = key(
        ("dense", "convolutional"), "Names from the section `networks`; each network needs a width."
    )
    train_samples: int = key(
        2000, "Training samples, equally many of each class.", unit="samples", ge=2, le=LARGEST_COUNT
    )
    removed_percent: Percentages = key(
        ...,
        "Percentages of every class that noisy copies of the rest replace, one for each point.",
        unit="%",
        stated=False,
    )
    sigma: Sigma = key(
        0.01,
        "Standard deviation of the noise. Pixels lie between 0 and 1, and noisy pixels are not clipped. The "
        "paper does not state the range of its pixels.",
    )
    draw_seed: Whole = key(
        0,
        "Seed of the training set, of the choice of replaced samples and of the noise.",
        stated=False,
    )
    seeds: Seeds = key(
        1,
        "Networks trained at each percentage, each with its own initialisation and order of samples.",
        unit="seeds",
        stated=False,
    )
    seeds_per_job: Seeds | None = SEEDS_PER_JOB
    ntk_samples: Count | None = key(
        None,
        "Test samples in each draw on which the NTK is measured. null takes the paper's 400, or fewer if the "
        "draws would need more than the top-level `test_samples`.",
        unit="samples",
    )
    ntk_draws: Count = key(
        3,
        "Disjoint draws of test samples on which the NTK is measured. Figure 4 shows the mean over them.",
        unit="draws",
    )
    epochs: Epochs = key(1000, "Passes through the training data.", unit="epochs")
    evaluate_every: Count = key(
        10, "Epochs between two measurements of losses and accuracies.", unit="epochs", stated=False
    )
    spectrum_epochs: EpochList = key(
        Follows(following.noise_spectrum_epochs, "16 values from 0 to 1000, up to `epochs`"),
        "Epochs at which the NTK is measured, ascending from 0 to at most the last.",
        unit="epochs",
        stated=False,
    )
    learning_rate: Rate = key(0.001, "Learning rate of stochastic gradient descent.")
    momentum: Decay = key(0.9, "Momentum of stochastic gradient descent.")
    batch_size: Count = key(
        128, "Samples of one update. The last batch of an epoch takes the remaining samples.", unit="samples"
    )

    def general(self, recipes: Mapping[str, ConfigRecipe], test_samples: int) -> StudyEntry:
        """The entry in the general form; its recipe is its own. The config has ``test_samples``."""
        training = ("learning_rate", "momentum", "batch_size", "epochs", "evaluate_every")
        recipe = ConfigRecipe(optimizer="sgd", **{name: getattr(self, name) for name in training})
        return StudyEntry(
            axis="removed_share",
            scales=self.removed_percent,
            recipe=recipe,
            balanced=True,
            min_members=1,
            ntk_samples=self.ntk_samples or following.noise_ntk_samples(test_samples, self.ntk_draws),
            **kept(self, "removed_percent", "ntk_samples", *training),
        )
