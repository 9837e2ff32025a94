"""Every figure: its name, which curves it shows, from which files, and the module that draws it.

To add a figure, add a `Figure` to `_paper_figures` or `_own_figures`, and write its caption as a file in
workflow/report. The workflow makes a rule for it, named ``figure_{key}``, and `rule all` requests it. A
figure that no module here can draw needs a new *kind*: a module beside this one with two functions.

    collect(figure, shows, curves)   returns the content of the figure's JSON file (figure, panels and fits),
                                     from a list of `ntklens.figures.measured.MeasuredCurve`
    draw(content)                    returns a Matplotlib figure, from nothing but this content

Snakemake imports this module in every job that it starts, so it imports neither Matplotlib nor the kinds.
"""

from collections.abc import Iterable
from typing import NamedTuple

from ntklens.figures.settings import DescribedCurve, FigureSettings
from ntklens.planning import paths
from ntklens.planning.config import Config
from ntklens.planning.curves import axis_of, curves, follows_minimum, heading_of
from ntklens.planning.settings import analysis_settings, averaging_settings
from ntklens.storage.curve import Curve
from ntklens.storage.settings import settings_sha256
from ntklens.studies.catalogue import DATA_SCALING, HEADINGS, MODEL_SCALING, NOISE_SCALING

AVERAGES, ADAPTATION_RATE = "averages", "adaptation-rate"
POWER_LAWS, TRANSITION, ENDS = "power-laws", "transition", "ends"


class Figure(NamedTuple):
    """One figure of a config."""

    key: str  # in file names and in the name of the rule
    title: str  # in the report
    kind: str  # the module of ntklens.figures that collects and draws it
    curves: list[Curve]
    needs: tuple[str, ...]  # files of each curve: averages, adaptation-rate, power-laws, transition or ends
    caption: str  # a file in workflow/report
    shows: tuple[str, ...] = ()  # quantities, for kinds that can show different ones

    @property
    def rule(self) -> str:
        """The name of the rule that draws the figure."""
        return "figure_" + self.key.replace("-", "_")

    def files(self, name: str) -> list[str]:
        """The files that the figure of the config ``name`` needs: for each curve, one for each need."""
        patterns = [_pattern(name, need) for need in self.needs]
        return [pattern.format(**curve._asdict()) for curve in self.curves for pattern in patterns]


def figures_of(config: Config) -> dict[str, Figure]:
    """Key -> `Figure`, for the figures that the studies of ``config`` can fill."""
    own = [study for study in config.entries if study not in HEADINGS]
    figures = _paper_figures(config) + [figure for study in own for figure in _own_figures(config, study)]
    return {figure.key: figure for figure in figures if figure.curves}


def settings_of_figure(config: Config, figure: Figure) -> FigureSettings:
    """The settings of workflow/scripts/figure.py for ``figure``."""
    return FigureSettings(
        figure=figure.key,
        kind=figure.kind,
        shows=figure.shows,
        needs=figure.needs,
        curves=tuple(_described(config, curve, figure.needs) for curve in figure.curves),
    )


def _paper_figures(config: Config) -> list[Figure]:
    scaling = _one_curve_per_dataset(config)
    widths, noise = curves(config, MODEL_SCALING), curves(config, NOISE_SCALING)
    return [
        Figure(
            key="1",
            title="NTK trace, adaptation rate and effective rank against the train loss",
            kind="dynamics",
            curves=_one_curve_per_study(config),
            needs=(AVERAGES, ADAPTATION_RATE),
            caption="figure-1.rst",
            shows=("ntk_trace", "adaptation_rate", "effective_rank"),
        ),
        Figure(
            key="2",
            title="Test loss, effective rank, initial trace and adaptation rate against scale",
            kind="scaling_laws",
            curves=scaling,
            needs=(POWER_LAWS,),
            caption="figure-2.rst",
        ),
        Figure(
            key="3",
            title="Trace ratio and effective rank against width, and where they bend",
            kind="transition",
            curves=widths,
            needs=(TRANSITION,),
            caption="figure-3.rst",
        ),
        Figure(
            key="4",
            title="Effective rank against epochs, by how much of the training data is replaced",
            kind="epochs",
            curves=noise,
            needs=(AVERAGES,),
            caption="figure-4.rst",
            shows=("effective_rank",),
        ),
        Figure(
            key="5",
            title="NTK trace and adaptation rate against the train loss, for every dataset",
            kind="dataset_grid",
            curves=scaling,
            needs=(AVERAGES, ADAPTATION_RATE),
            caption="figure-5.rst",
            shows=("ntk_trace", "adaptation_rate"),
        ),
        Figure(
            key="6",
            title="Effective rank against the train loss, for every dataset",
            kind="dataset_grid",
            curves=scaling,
            needs=(AVERAGES,),
            caption="figure-6.rst",
            shows=("effective_rank",),
        ),
        Figure(
            key="7",
            title="Train and test accuracy against epochs, by how much of the training data is replaced",
            kind="epochs",
            curves=noise,
            needs=(AVERAGES,),
            caption="figure-7.rst",
            shows=("train_accuracy", "test_accuracy"),
        ),
        Figure(
            key="8",
            title="Alignment with the labels and misalignment of eigenvectors against the train loss",
            kind="dataset_grid",
            curves=scaling,
            needs=(AVERAGES,),
            caption="figure-8.rst",
            shows=("label_alignment", "misalignment", "misalignment_of_space"),
        ),
        Figure(
            key="9",
            title="What the transition is: what was there before training, and what depends on coordinates",
            kind="transition_origin",
            curves=_of_widths(config),
            needs=(POWER_LAWS, TRANSITION, ENDS),
            caption="figure-9.rst",
        ),
        Figure(
            key="10",
            title="What feature learning does to ranks, and the factors of the loss's gradient",
            kind="ranks_of_layers",
            curves=_of_widths(config)[:1],
            needs=(AVERAGES, ENDS),
            caption="figure-10.rst",
        ),
    ]


def _own_figures(config: Config, study: str) -> list[Figure]:
    """The figures of a study of the user's; they depend on its axis and recipe."""
    every = curves(config, study)
    followed = [curve for curve in every if follows_minimum(config, curve)]
    heading = heading_of(study)
    return [
        Figure(
            key=f"{study}-laws",
            title=f"{heading}: test loss, effective rank, initial trace and adaptation rate against scale",
            kind="scaling_laws",
            curves=followed,
            needs=(POWER_LAWS,),
            caption="own-laws.rst",
        ),
        Figure(
            key=f"{study}-dynamics",
            title=f"{heading}: NTK trace, adaptation rate and effective rank against the train loss",
            kind="dataset_grid",
            curves=followed,
            needs=(AVERAGES, ADAPTATION_RATE),
            caption="own-dynamics.rst",
            shows=("ntk_trace", "adaptation_rate", "effective_rank"),
        ),
        Figure(
            key=f"{study}-transition",
            title=f"{heading}: trace ratio and effective rank against width, and where they bend",
            kind="transition",
            curves=[curve for curve in followed if axis_of(config, curve).name == "width"],
            needs=(TRANSITION,),
            caption="own-transition.rst",
        ),
        Figure(
            key=f"{study}-epochs",
            title=f"{heading}: effective rank, train and test accuracy against epochs",
            kind="epochs",
            curves=[curve for curve in every if curve not in followed],
            needs=(AVERAGES,),
            caption="own-epochs.rst",
            shows=("effective_rank", "train_accuracy", "test_accuracy"),
        ),
    ]


def _of_widths(config: Config) -> list[Curve]:
    """Model scaling, first the curve of figure 1, then own studies of width that follow the minimum."""
    first = [curve for curve in _one_curve_per_study(config) if curve.study == MODEL_SCALING]
    own = [
        curve
        for curve in curves(config)
        if curve.study not in HEADINGS
        and axis_of(config, curve).name == "width"
        and follows_minimum(config, curve)
    ]
    return list(dict.fromkeys([*first, *curves(config, MODEL_SCALING), *own])) if first else []


def _one_curve_per_dataset(config: Config) -> list[Curve]:
    """One curve for each dataset of model scaling, then of data scaling."""
    network = config.model_scaling_network
    widths = [curve for curve in curves(config, MODEL_SCALING) if curve.network == network]
    first: dict[tuple[str, str], Curve] = {}
    for curve in widths + curves(config, DATA_SCALING):
        first.setdefault((curve.study, curve.dataset), curve)
    return list(first.values())


def _one_curve_per_study(config: Config) -> list[Curve]:
    """One of these curves for each study: for the dataset that the config names, or else the first."""
    wanted = config.figures.dataset
    shown: dict[str, Curve] = {}
    for curve in _one_curve_per_dataset(config):
        if curve.study not in shown or curve.dataset == wanted:
            shown[curve.study] = curve
    return list(shown.values())


def _described(config: Config, curve: Curve, needs: Iterable[str]) -> DescribedCurve:
    axis, averages, analysis = axis_of(config, curve), averaging_settings, analysis_settings
    made_with = {
        need: settings_sha256((averages if need == AVERAGES else analysis)(config, curve)) for need in needs
    }
    return DescribedCurve(*curve, heading_of(curve.study), axis.symbol, axis.label, made_with)


def _pattern(name: str, need: str) -> str:
    return paths.averages(name) if need == AVERAGES else paths.fit(name, need)
