"""The whole config: its top level, and the sections below it."""

from collections.abc import Mapping
from functools import cached_property
from typing import Literal

from pydantic import Field

from ntklens.planning.config import following
from ntklens.planning.config.base import (
    Count,
    Follows,
    Name,
    Number,
    PathName,
    Paths,
    Section,
    Whole,
    key,
    section,
)
from ntklens.planning.config.networks import Networks, default_networks
from ntklens.planning.config.studies import StudiesSection
from ntklens.planning.config.training import (
    AdamSection,
    AnalysisSection,
    CalibrationSection,
    EnsembleSection,
    Recipes,
    TrainingSection,
)
from ntklens.studies.catalogue import MODEL_SCALING
from ntklens.studies.entries import StudyEntry

FIRST_NETWORK = "three-layer"  # of model scaling, in the paper


class FiguresSection(Section):
    """What the figures of a single dataset or network show."""

    dataset: str | None = key(None, "The dataset of figure 1. null takes the first dataset of each study.")
    model_scaling_network: str | None = key(
        None,
        "The network of model scaling in figures 1 and 2. null takes three-layer or, if that is not trained, "
        "the first network of the study.",
    )


class Config(Section):
    """What is trained, measured and drawn. config/README.md explains every key."""

    name: Name = key(
        ..., "Name of this config. Its results go to results/{name}, apart from the results of other configs."
    )
    data_dir: PathName | None = key(
        None,
        "Folder with the datasets' original files. null downloads them. Datasets that come with a Python "
        "package need neither.",
    )
    device: Literal["cpu", "gpu"] = key(
        "cpu", "Device that training runs on. With gpu, a training job that finds no GPU fails."
    )
    jobs_per_gpu: int = key(
        1,
        "Training jobs that may share one GPU of this machine and its memory. With 1, a job shares its GPU "
        "with no other job, not even one of another workflow of yours.",
        unit="jobs",
        ge=1,
        le=1000,
    )
    checkpoint_seconds: Number = key(
        60.0,
        "Time between two checkpoints of a training job. An interrupted job resumes from its last checkpoint "
        "and gives the same numbers. 0 writes no checkpoints.",
        unit="s",
        ge=0,
        le=1e7,
    )
    keep_runs: bool = key(
        False,
        "Whether datasets, subsets, learning rates and run files stand when only code has changed. What is "
        "made from run files follows the code all the same. Figures name the code that made their runs.",
    )
    precomputed: Paths = key(
        (),
        "Archive of results, made by `make archive`, or a list of several. Averages and closed forms are "
        "taken from them, so figures and tables are drawn without training. If one archive and no config "
        "file is given, the archive's config is used.",
    )
    test_samples: Count = key(
        500,
        "Held-out samples on which the test loss is measured. A dataset with a test part of its own gives at "
        "most that part.",
        unit="samples",
        stated=False,
    )
    ntk_samples: Count = key(
        Follows(following.ntk_samples, f"{following.NTK_SAMPLES}, or `test_samples` if they are fewer"),
        "Test samples on which the NTK is measured (d): the first ones. The paper states the number, but not "
        "which samples. Noise scaling has a key of its own.",
        unit="samples",
    )
    split_seed: Whole = key(0, "Seed of the random split into training pool and test samples.", stated=False)
    ensemble: EnsembleSection = section(
        EnsembleSection, "How many seeds are trained, and how many of them are needed."
    )
    networks: Networks = Field(
        default_factory=default_networks, description="Networks by name. Studies refer to the names."
    )
    optimizer: AdamSection = section(AdamSection, "Adam's constants.")
    recipes: Recipes = Field(
        default_factory=dict,
        validate_default=True,
        description="Ways to train, by name, for studies of your own. adam, the recipe of the scaling "
        "studies, is always there.",
    )
    training: TrainingSection = section(
        TrainingSection, "How long training around the test loss's minimum lasts, and when it is measured."
    )
    calibration: CalibrationSection = section(
        CalibrationSection, "How the learning rates of each curve are found."
    )
    analysis: AnalysisSection = section(AnalysisSection, "How numbers are made from trajectories.")
    studies: StudiesSection = Field(..., description="The curves. A study that is absent is not run.")
    figures: FiguresSection = section(FiguresSection, "What the figures of a single dataset or network show.")

    @cached_property
    def entries(self) -> Mapping[str, tuple[StudyEntry, ...]]:
        """The entries of every study in the general form, in the config's order."""
        recipes = {name: recipe.settings() for name, recipe in self.recipes.items()}
        return {
            study: tuple(entry.general(recipes, self.test_samples) for entry in own)
            for study, own in self.studies.by_name().items()
        }

    @cached_property
    def smoothing_epochs(self) -> int:
        """Length of the running mean before the adaptation rate is taken."""
        return self.analysis.smoothing_epochs or following.smoothing_epochs(vars(self.training))

    @cached_property
    def model_scaling_network(self) -> str:
        """The network of model scaling in figures 1 and 2."""
        if self.figures.model_scaling_network is not None:
            return self.figures.model_scaling_network
        trained = [name for entry in self.entries.get(MODEL_SCALING, ()) for name in entry.networks]
        return FIRST_NETWORK if FIRST_NETWORK in trained or not trained else trained[0]
