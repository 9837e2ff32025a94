"""The settings of analyses: plain names and numbers, which Snakemake passes to their scripts.

Fields named after a file, such as ``averages``, are digests of the settings that it must have been made with.

This module imports neither NumPy nor h5py: Snakemake imports it in every job that it starts.
"""

from dataclasses import dataclass, field

from ntklens.data.settings import ImageSize
from ntklens.storage.curve import Curve
from ntklens.storage.defaults import UNLESS_DEFAULT


@dataclass(frozen=True)
class Window:
    """The epochs between which the minimum of the test loss should lie, both included."""

    first: int
    last: int


@dataclass(frozen=True)
class AveragingSettings:
    """How the run files of one curve are averaged."""

    curve: Curve
    points: dict[str, int]  # folder of a point -> its scale
    runs: dict[str, str]  # folder of a point -> digest of the settings of its run files
    seeds: int  # that each point has in its run files, from 0 on
    min_members: int  # averaging fails where fewer seeds of a point are usable
    window: Window | None  # None where training does not follow the minimum


@dataclass(frozen=True)
class AnalysisSettings:
    """How numbers and their intervals are made from the averages of one curve."""

    curve: Curve
    averages: str
    infinite_width: str | None  # None where the closed forms do not describe the curve
    smoothing_epochs: int  # of the running mean before the adaptation rate is taken
    resamples: int


@dataclass(frozen=True)
class InfiniteWidthSettings:
    """What the closed forms of dense ReLU networks need, besides the samples."""

    curve: Curve
    subset: str
    hidden_layers: int
    ntk_samples: int
    # The side that images are brought to; None leaves them as they are.
    image_size: ImageSize | None = field(default=None, metadata=UNLESS_DEFAULT)


@dataclass(frozen=True)
class CurvesOfDraws:
    """Curves that differ in the draw of their training samples and in nothing else."""

    title: str  # in words
    curves: tuple[AveragingSettings, ...]  # of the same points


@dataclass(frozen=True)
class VarianceSettings:
    """The curves of a config from which variance components are made, and the simulations of intervals."""

    groups: tuple[CurvesOfDraws, ...]
    simulations: int


@dataclass(frozen=True)
class ComparedCurve:
    """A curve on whose results the paper's claims are judged."""

    analysis: AnalysisSettings
    hidden_layers: int
    title: str  # of the curve, in words
    in_figure_2: bool  # whether it is the one of its study and dataset that figure 2 shows


@dataclass(frozen=True)
class ComparisonSettings:
    """The curves of the paper's studies in a config."""

    name: str  # of the config
    curves: tuple[ComparedCurve, ...]


@dataclass(frozen=True)
class VariedCurve:
    """A curve of widths whose numbers are set beside those of its ``baseline``, which may be itself."""

    analysis: AnalysisSettings
    baseline: Curve
    title: str  # of what differs from the baseline, in words

    @property
    def is_baseline(self) -> bool:
        """Whether other curves are compared with this one."""
        return self.analysis.curve == self.baseline


@dataclass(frozen=True)
class RobustnessSettings:
    """The curves of widths in a config."""

    name: str  # of the config
    curves: tuple[VariedCurve, ...]
    baselines: tuple[AveragingSettings, ...]  # the run files of the curves that others are compared with
