import numpy as np
import pytest
from ntklens.analysis.initial_trace import InitialTrace
from ntklens.analysis.laws import BentLaw

WIDTHS = 2 ** np.arange(3, 11)


@pytest.mark.parametrize(
    ("inputs", "layers", "norm", "bend"),
    [(784, 2, 100.0, 392 * 1.07), (784, 3, 100.0, 784 / 3 * 1.15), (64, 2, 14.0, 48.0)],
)
def test_bend_is_that_of_the_trace(inputs, layers, norm, bend):
    trace = InitialTrace(inputs, layers, rows=1280, mean_square_norm=norm)
    assert trace.bend == pytest.approx(bend)
    start = 1280 * (norm / 2**layers + 2 - 2.0**-layers)
    np.testing.assert_allclose(trace.at(WIDTHS), BentLaw("offset", start, trace.bend)(WIDTHS))


def test_trace_of_a_linear_network_is_the_norm_and_its_bias():
    assert InitialTrace(10, 0, 4, 3.0).at(np.array([7]))[0] == 4 * (3 + 1)


def test_trace_is_that_of_random_networks():
    """One hidden layer, by hand: Tr Θ/N = ⟨Σ_u (w_u² 1_u)⟩(‖x‖² + 1) + ⟨‖h‖²⟩ + 1, on average."""
    rng = np.random.default_rng(0)
    inputs, width, networks = 6, 5, 40_000
    x = rng.random(inputs)
    first = rng.standard_normal((networks, width, inputs)) / np.sqrt(inputs)
    last = rng.standard_normal((networks, width)) / np.sqrt(width)
    before = first @ x
    mine = (
        ((last * (before > 0)) ** 2).sum(axis=1) * (x @ x + 1) + (np.maximum(before, 0) ** 2).sum(axis=1) + 1
    )
    expected = InitialTrace(inputs, 1, 1, float(x @ x)).at(np.array([width]))[0]
    assert mine.mean() == pytest.approx(expected, rel=0.02)
