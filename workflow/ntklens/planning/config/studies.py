"""The config's section `studies`: the paper's three studies and a user's own.

Every entry becomes a `StudyEntry`, the general form, which is all that planning reads.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import Field, PrivateAttr, model_validator

from ntklens.planning.config.base import STUDY_NAME, Section, Several, names_checked, refused
from ntklens.planning.config.own_studies import OwnStudyEntry
from ntklens.planning.config.papers_studies import DataScalingEntry, ModelScalingEntry, NoiseScalingEntry
from ntklens.studies.catalogue import DATA_SCALING, MODEL_SCALING, NOISE_SCALING

AnyEntry = ModelScalingEntry | DataScalingEntry | NoiseScalingEntry | OwnStudyEntry


class StudiesSection(Section, extra="allow"):
    """The studies by name. A study that is absent is not run."""

    # pydantic makes this a dictionary of the names for which there is no field.
    __pydantic_extra__: dict[str, Several[OwnStudyEntry]]  # pyright: ignore[reportIncompatibleVariableOverride]

    model_scaling: Several[ModelScalingEntry] = Field(
        (), alias=MODEL_SCALING, description="Width grows, the training data stay the same."
    )
    data_scaling: Several[DataScalingEntry] = Field(
        (), alias=DATA_SCALING, description="The training data grow, the network stays the same."
    )
    noise_scaling: Several[NoiseScalingEntry] = Field(
        (), alias=NOISE_SCALING, description="Noisy copies replace growing shares of the training data."
    )
    _order: tuple[str, ...] = PrivateAttr(())

    @model_validator(mode="wrap")
    @classmethod
    def _named_and_ordered(cls, data: Any, handler: Callable[[Any], Any]) -> "StudiesSection":
        if not isinstance(data, Mapping):
            return handler(data)
        names_checked(STUDY_NAME, "study")(data)
        if not data:
            raise refused("must have at least one study")
        studies = handler(data)
        studies._order = tuple(data)
        return studies

    def by_name(self) -> dict[str, tuple[AnyEntry, ...]]:
        """The entries of every study of the config, in its order."""
        papers = {MODEL_SCALING: self.model_scaling, DATA_SCALING: self.data_scaling}
        every = {**papers, NOISE_SCALING: self.noise_scaling, **self.__pydantic_extra__}
        return {name: every[name] for name in self._order}
