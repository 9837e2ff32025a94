"""What the gallery of a config shows: every figure, and every curve with its slice of the config."""

from collections.abc import Iterable

from ntklens.data.registry import title
from ntklens.figures.catalogue import Figure, settings_of_figure
from ntklens.gallery.settings import GallerySettings, ShownCurve, ShownFigure
from ntklens.planning.config import Config
from ntklens.planning.curves import axis_of, curves, heading_of, scales
from ntklens.planning.settings import averaging_settings, training_settings
from ntklens.storage.curve import Curve
from ntklens.storage.settings import as_plain, settings_sha256
from ntklens.storage.tracing import values_of_settings


def gallery_settings(config: Config, figures: Iterable[Figure]) -> GallerySettings:
    """The settings of workflow/scripts/gallery.py for these ``figures`` of ``config``."""
    return GallerySettings(
        name=config.name,
        figures=tuple(_figure(config, figure) for figure in figures),
        curves=tuple(_curve(config, curve) for curve in curves(config)),
    )


def _figure(config: Config, figure: Figure) -> ShownFigure:
    digest = settings_sha256(settings_of_figure(config, figure))
    return ShownFigure(figure.key, figure.title, figure.kind, digest)


def _curve(config: Config, curve: Curve) -> ShownCurve:
    axis = axis_of(config, curve)
    runs = [as_plain(training_settings(config, curve, scale)) for scale in scales(config, curve)]
    return ShownCurve(
        curve=curve,
        title=f"{heading_of(curve.study)}, {title(curve.dataset)}, {curve.network}",
        symbol=axis.symbol,
        label=axis.label,
        averages=settings_sha256(averaging_settings(config, curve)),
        config={
            key: value for key, value in values_of_settings(runs).items() if not key.startswith("curve.")
        },
    )
