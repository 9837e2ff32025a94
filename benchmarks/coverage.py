"""How often the intervals of the analysis hold the true value: synthetic ensembles, 500 trials of each kind.

    python benchmarks/coverage.py

An ensemble has eight widths and 5 or 20 members at each. A member's trace gain, initial trace, effective rank
and test loss are the values of known laws times log-normal noise, whose variance falls with the width. The
noise of a seed at neighbouring widths is independent, or has a correlation like that of initial traces. Each
row names the law that the data follow and a parameter of a fitted law; for a parameter called *wrong* that is
not the true law but its neighbour, and the parameter that of the true law. An interval that is open on a side
holds everything on that side. The table also has the share of open intervals and the median width of the
closed ones, in units of the parameter (bends, levels and means: of its logarithm), and the share of ensembles
in which a power law is rejected. The numbers are written as JSON.
"""

import argparse
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from ntklens.analysis.curve_laws import bent_fits, log_rows
from ntklens.analysis.fitting import fit_power_laws
from ntklens.analysis.intervals import ends
from ntklens.analysis.laws import LIMITED, OFFSET, SATURATING, TRACE_RATIO, BentLaw, Form, PowerLaw
from ntklens.analysis.model_choice import choose
from ntklens.analysis.series import Series, key_series
from ntklens.analysis.settings import AnalysisSettings
from ntklens.machine import processor
from ntklens.machine.threads import use_threads
from ntklens.storage.averages import Average, Mean
from ntklens.storage.curve import Curve
from ntklens.storage.files import write_json

OUT = Path(__file__).parent / "results/coverage.json"
WIDTHS = 2 ** np.arange(3, 11)
MEMBERS = (5, 20)
TRIALS = 500
RESAMPLES = 1000  # half of the default, to save time
SIMULATIONS = 400
EPOCHS = np.arange(12)
# Of a seed's noise at neighbouring widths: measured 0.26 to 0.37 for initial traces and β of published/.
CORRELATIONS = (0.0, 0.35)

Law = Callable[[Any], Any]
# Standard deviation of a member's logarithm at width 8, and the exponent with which it falls along widths:
# assumed, so that β at width 8 is about as uncertain as that of five networks on mnist-5k.
NOISE = {
    "test_loss": (0.10, -0.3),
    "effective_rank": (0.30, -0.3),
    "initial_trace": (0.45, -0.5),
    "trace_gain": (0.45, -0.4),
}


class Parameter(NamedTuple):
    """A parameter of a law fitted to an ensemble: of ``fitted``, or of a power law if that is None."""

    name: str
    kind: str  # exponent, last exponent, bend, level, power or value
    expected: float
    fitted: Form | None = None


class Truth(NamedTuple):
    """The law that a quantity of the ensembles follows.

    ``choice`` are the bent laws against which a power law is tested; the test is left out without any.
    """

    name: str
    quantity: str
    law: Law
    parameters: tuple[Parameter, ...]
    choice: tuple[Form, ...] = ()


RISE = PowerLaw(20.0, 0.4)
TRACE = BentLaw("offset", 4e4, 420.0)
RANK = BentLaw("saturating", 110.0, 150.0, 0.9)
LOSS = BentLaw("limited", 0.4, 30.0, 1.2)
FALL = PowerLaw(4.0, -0.5)


def gain_of(ratio: Law) -> Law:
    """The trace gained where the trace ratio follows ``ratio``."""
    return lambda width: ratio(width) * TRACE(width)


def crossover(width: Float[np.ndarray, " points"]) -> Float[np.ndarray, " points"]:
    """A neighbour of the trace-ratio law with the same bend, whose gain falls as the width to the 0.1."""
    return 15 / (1 + width / 420.0) * (width / 420.0) ** -0.1


def sharper(width: Float[np.ndarray, " points"]) -> Float[np.ndarray, " points"]:
    """A neighbour of the saturating law with the same bend and power, which falls again at wide networks."""
    return RANK(width) * (1 + (width / 1500.0)) ** -0.3


RATIO = BentLaw("trace ratio", 15.0, 420.0)
TRUTHS = (
    Truth(
        "Γ ∝ m^0.4",
        "effective_rank",
        RISE,
        (
            Parameter("slope", "exponent", 0.4),
            Parameter("slope of the last two octaves", "last exponent", 0.4),
        ),
        (SATURATING, LIMITED),
    ),
    Truth(
        "β ∝ m^−0.8, ratio of means",
        "trace_ratio",
        gain_of(PowerLaw(9, -0.8)),
        (Parameter("slope", "exponent", -0.8),),
        (TRACE_RATIO,),
    ),
    Truth(
        "β₀/(1 + m/m_β)",
        "trace_ratio",
        gain_of(RATIO),
        (Parameter("m_β", "bend", 420.0, TRACE_RATIO), Parameter("β₀", "level", 15.0, TRACE_RATIO)),
        (TRACE_RATIO,),
    ),
    Truth("T₀ (1 + m/m*)", "initial_trace", TRACE, (Parameter("m*", "bend", 420.0, OFFSET),), (OFFSET,)),
    Truth(
        "Γ_sat/(1 + m_Γ/m)^p",
        "effective_rank",
        RANK,
        (
            Parameter("m_Γ", "bend", 150.0, SATURATING),
            Parameter("Γ_sat", "level", 110.0, SATURATING),
            Parameter("p", "power", 0.9, SATURATING),
            Parameter("mean at width 8", "value", float(RANK(8))),
        ),
        (SATURATING, LIMITED),
    ),
    Truth(
        "L∞ + A m^−p",
        "test_loss",
        LOSS,
        (
            Parameter("p", "power", 1.2, LIMITED),
            Parameter("L∞", "level", 0.4, LIMITED),
            Parameter("wrong: slope of a power law", "exponent", -1.2),
        ),
    ),
    Truth(
        "β with a gain ∝ m^−0.1",
        "trace_ratio",
        gain_of(crossover),
        (Parameter("wrong: m_β", "bend", 420.0, TRACE_RATIO),),
    ),
    Truth(
        "Γ that falls again",
        "effective_rank",
        sharper,
        (
            Parameter("wrong: m_Γ", "bend", 150.0, SATURATING),
            Parameter("wrong: p", "power", 0.9, SATURATING),
        ),
    ),
    Truth("L ∝ m^−0.5", "test_loss", FALL, (Parameter("wrong: p of L∞ + A m^−p", "power", 0.5, LIMITED),)),
)


def ensemble(
    generator: np.random.Generator, members: int, correlation: float, quantity: str, truth: Law
) -> Series:
    """The series of ``quantity`` of one synthetic ensemble that follows ``truth``."""
    shown = "trace_gain" if quantity == "trace_ratio" else quantity
    laws = {"test_loss": LOSS, "effective_rank": RANK, "initial_trace": TRACE, "trace_gain": gain_of(RATIO)}
    laws[shown] = truth
    noise = correlated(generator.standard_normal((len(WIDTHS), len(laws), members)), correlation)
    averages = [point(own, int(width), laws) for own, width in zip(noise, WIDTHS, strict=True)]
    name = f"{generator.integers(2**62)}"  # another set of resamples for each ensemble
    settings = AnalysisSettings(Curve("coverage", name, quantity), "", None, 2, RESAMPLES)
    return key_series(averages, settings)[quantity]


def correlated(
    noise: Float[np.ndarray, "points laws members"], correlation: float
) -> Float[np.ndarray, "points laws members"]:
    """Standard normal ``noise``, made to have this ``correlation`` between neighbouring points."""
    for own, before in zip(noise[1:], noise, strict=False):
        own[:] = correlation * before + np.sqrt(1 - correlation**2) * own
    return noise


def point(noise: Float[np.ndarray, "laws members"], width: int, laws: Mapping[str, Law]) -> Average:
    """One point: members with log-normal noise of mean one around the ``laws``, from normal ``noise``."""
    values: dict[str, np.ndarray] = {}
    members = noise.shape[1]
    for (name, law), own in zip(laws.items(), noise, strict=True):
        start, exponent = NOISE[name]
        spread = start * (width / WIDTHS[0]) ** exponent
        values[name] = float(law(np.float64(width))) * np.exp(spread * own - spread**2 / 2)
    gain = values.pop("trace_gain")
    loss, trace = -0.1 * EPOCHS, 1.0 + EPOCHS
    curves = {"ntk_trace": trace, "log_train_loss": loss, "test_loss": -loss}
    along = {name: Mean(EPOCHS, 1.0 * curve, 0.0 * curve) for name, curve in curves.items()}
    return Average(
        scale=width,
        seeds=np.arange(members),
        left_out=(),
        minimum_epoch=6,
        along=along,
        minimum={**values, "trace_ratio": gain / values["initial_trace"]},
        members={name: np.tile(curve, (members, 1)).astype(np.float32) for name, curve in curves.items()},
    )


def estimates(parameters: Sequence[Parameter], series: Series) -> Iterator[Float[np.ndarray, " rows"]]:
    """Each parameter in row 0, and then of every resample; bends, levels and values as logarithms."""
    forms = dict.fromkeys(parameter.fitted for parameter in parameters if parameter.fitted)
    bent = {form: bent_fits(form, series) for form in forms}
    for parameter in parameters:
        if parameter.fitted:
            fits = bent[parameter.fitted]
            yield {"bend": fits.log_bend, "level": fits.log_level, "power": fits.power}[parameter.kind]
        elif parameter.kind == "value":
            yield log_rows(series)[:, 0]
        else:
            chosen = slice(-3, None) if parameter.kind == "last exponent" else slice(None)
            rows, weights = log_rows(series)[:, chosen], series.variances.weights[chosen]
            yield fit_power_laws(np.log(series.scale)[chosen], rows, weights).exponent


def trials_of(truth: Truth, members: int, correlation: float, trials: int) -> Iterator[dict[str, Any]]:
    """The coverage of each parameter, and how often a power law is rejected at 5 %."""
    generator = np.random.default_rng([members, TRUTHS.index(truth)])
    found: list[list[tuple[float, float]]] = []
    rejected = 0
    for _ in range(trials):
        series = ensemble(generator, members, correlation, truth.quantity, truth.law)
        intervals = [ends(rows[1:]) for rows in estimates(truth.parameters, series)]
        found.append([(float(low), float(high)) for low, high in intervals])
        made = choose(series, truth.choice, SIMULATIONS, generator) if truth.choice else None
        rejected += bool(made and made["power_law_rejected"])
    named = {"truth": truth.name, "members": members, "correlation": correlation, "trials": trials}
    for parameter, own in zip(truth.parameters, np.transpose(found, (1, 2, 0)), strict=True):
        yield {**named, "parameter": parameter.name, **coverage(parameter, *own)}
    if truth.choice:
        yield {**named, "parameter": "power law rejected", "rejected": rejected / trials}


def coverage(
    parameter: Parameter, low: Float[np.ndarray, " trials"], high: Float[np.ndarray, " trials"]
) -> dict[str, float | None]:
    """The share of intervals that hold the expected value, and what they are like."""
    logarithm = parameter.kind in ("bend", "level", "value")
    expected = np.log(parameter.expected) if logarithm else parameter.expected
    closed = np.isfinite(low) & np.isfinite(high)
    return {
        "coverage": float(np.mean((low <= expected) & (expected <= high))),
        "too_low": float(np.mean(high < expected)),
        "too_high": float(np.mean(low > expected)),
        "open": float(np.mean(~closed)),
        "median_width": float(np.median((high - low)[closed])) if closed.any() else None,
    }


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args(argv)
    use_threads(1)
    begin = time.process_time()
    rows = []
    for correlation, members, truth in itertools.product(CORRELATIONS, MEMBERS, TRUTHS):
        for row in trials_of(truth, members, correlation, args.trials):
            rows.append(row)
            print(*row.values(), sep="\t", flush=True)
    settings = {"widths": WIDTHS.tolist(), "resamples": RESAMPLES, "noise": NOISE}
    machine = {"processor": processor.model(), "cpu_seconds": time.process_time() - begin}
    write_json(args.out, {"machine": machine, "settings": settings, "rows": rows})


if __name__ == "__main__":
    main()
