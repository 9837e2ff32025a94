"""What the entries of all studies have in common."""

from typing import Any

from ntklens.planning.config.base import InputFile, Section, key
from ntklens.studies.entries import StudyEntry


class EntrySection(Section):
    """One study on one dataset."""

    dataset: InputFile = key(..., "A dataset's name, or the path of an .npz file with images and labels.")


SEEDS = key(StudyEntry.seeds, "Seeds of the ensemble. null takes `ensemble.seeds`.", unit="seeds")
MIN_MEMBERS = key(
    StudyEntry.min_members,
    "Averaging fails if fewer seeds ended well. null takes `ensemble.min_members`.",
    unit="seeds",
)
SEEDS_PER_JOB = key(
    None,
    "Seeds that one job trains together and writes into one run file. null chooses by network and data.",
    unit="seeds",
)


def kept(entry: Section, *left_out: str) -> dict[str, Any]:
    """The keys of ``entry`` and their values, without those ``left_out``."""
    return {name: getattr(entry, name) for name in type(entry).model_fields if name not in left_out}
