"""The curves that the robustness table sets beside each other: model scaling, and own studies of widths.

Every curve of model scaling is a baseline. A study of a user's own on the axis width is a variation: of the
baseline of the same dataset and network or, if its network is another one, of the network of figure 2. So are
the other networks of model scaling, since the paper does not say what "three-layer" counts.
"""

from collections.abc import Iterator

from ntklens.analysis.settings import RobustnessSettings, VariedCurve
from ntklens.planning.config import Config
from ntklens.planning.curves import axis_of, curves, entry_of, follows_minimum, heading_of
from ntklens.planning.settings import analysis_settings, averaging_settings
from ntklens.storage.curve import Curve
from ntklens.studies.axes.width import WIDTH
from ntklens.studies.catalogue import HEADINGS, MODEL_SCALING

UNVARIED = ""


def robustness_settings(config: Config) -> RobustnessSettings:
    """The curves of the robustness table; none without model scaling."""
    varied = tuple(_varied_curves(config))
    baselines = tuple(averaging_settings(config, own.baseline) for own in varied if own.is_baseline)
    return RobustnessSettings(name=config.name, curves=varied, baselines=baselines)


def _varied_curves(config: Config) -> Iterator[VariedCurve]:
    baselines = [own for own in curves(config, MODEL_SCALING) if follows_minimum(config, own)]
    for baseline in baselines:
        yield VariedCurve(analysis_settings(config, baseline), baseline, UNVARIED)
    for curve in curves(config):
        if curve in baselines:
            baseline = curve._replace(network=config.model_scaling_network)
            title = f"{config.networks[curve.network].hidden_layers} hidden layers"
        elif _is_variation(config, curve):
            baseline = _baseline_of(config, curve, baselines)
            several = len(entry_of(config, curve).networks) > 1
            title = heading_of(curve.study) + (f", {curve.network}" if several else "")
        else:
            continue
        if baseline in baselines and baseline != curve:
            yield VariedCurve(analysis_settings(config, curve), baseline, title)


def _is_variation(config: Config, curve: Curve) -> bool:
    own = curve.study not in HEADINGS and axis_of(config, curve) is WIDTH
    return own and follows_minimum(config, curve)


def _baseline_of(config: Config, curve: Curve, baselines: list[Curve]) -> Curve:
    same = curve._replace(study=MODEL_SCALING)
    return same if same in baselines else same._replace(network=config.model_scaling_network)
