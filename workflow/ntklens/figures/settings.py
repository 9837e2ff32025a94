"""The settings of a figure: plain names, which Snakemake passes to the script that draws it.

This module imports neither Matplotlib nor h5py: Snakemake imports it in every job that it starts.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class DescribedCurve:
    """One curve, and what figures call its study, its axis and that axis's scales."""

    study: str
    dataset: str
    network: str
    heading: str  # of the study
    symbol: str  # of the scale, such as m
    label: str  # of the axis, such as Model width
    # Of each file that the figure needs: the digest of the settings that it must have been made with.
    made_with: dict[str, str]


@dataclass(frozen=True)
class FigureSettings:
    """One figure: the module of `ntklens.figures` that draws it, and what it shows."""

    figure: str  # its key, in file names
    kind: str  # the module's name
    shows: tuple[str, ...]  # quantities, for a kind that can show one or another
    needs: tuple[str, ...]  # files of each curve: averages, adaptation-rate, power-laws or transition
    curves: tuple[DescribedCurve, ...]
