"""Made-up averages of curves whose members follow known laws."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from ntklens.analysis.laws import BentLaw
from ntklens.analysis.settings import AnalysisSettings
from ntklens.storage.averages import Average, Mean
from ntklens.storage.curve import Curve

WIDTHS = tuple(int(width) for width in 2 ** np.arange(3, 11))
CURVE = Curve("model-scaling", "digits", "three-layer")
EPOCHS = np.arange(13)
LOSS = BentLaw("limited", 0.4, 30.0, 1.2)
RANK = BentLaw("saturating", 110.0, 150.0, 0.9)
TRACE = BentLaw("offset", 4e4, 420.0)
RATIO = BentLaw("trace ratio", 15.0, 420.0)
Law = Callable[[Any], Any]


def settings_of(resamples: int = 200, curve: Curve = CURVE) -> AnalysisSettings:
    """The settings of an analysis whose running mean is two epochs long."""
    return AnalysisSettings(curve, "", None, smoothing_epochs=2, resamples=resamples)


def averages_of(
    scales: Sequence[int] = WIDTHS,
    members: int = 5,
    noise: float = 0.0,
    seed: int = 0,
    loss: Law = LOSS,
    rank: Law = RANK,
    trace: Law = TRACE,
    ratio: Law = RATIO,
) -> list[Average]:
    """A curve whose members have log-normal ``noise`` around the laws, and −χ = scale · noise."""
    rng = np.random.default_rng(seed)
    return [_average(rng, scale, members, noise, loss, rank, trace, ratio) for scale in scales]


def _average(rng: np.random.Generator, scale: int, members: int, noise: float, *laws: Law) -> Average:
    loss, rank, trace, ratio, slope = (
        float(law(np.float64(scale))) * np.exp(noise * rng.standard_normal(members))
        for law in (*laws, lambda scale: scale)
    )
    falling = -0.1 * EPOCHS
    curves = {
        "log_train_loss": np.tile(falling, (members, 1)),
        "ntk_trace": -slope[:, None] * falling,
        "test_loss": np.tile((EPOCHS - 6.0) ** 2, (members, 1)),
    }
    along = {name: Mean(EPOCHS, own.mean(axis=0), 0.0 * EPOCHS) for name, own in curves.items()}
    return Average(
        scale=scale,
        seeds=np.arange(members),
        left_out=(),
        minimum_epoch=6,
        along=along,
        minimum={
            "epoch": np.full(members, 6),
            "test_loss": loss,
            "effective_rank": rank,
            "initial_trace": trace,
            "trace_ratio": ratio,
        },
        members={name: own.astype(np.float32) for name, own in curves.items()},
    )
