import numpy as np
import pytest
from jaxtyping import Float
from ntklens.analysis.intervals import interval
from ntklens.analysis.variance_components import components, mean_square, sources
from scipy import stats

EVERY = [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def standardised(count: int, seed: int) -> Float[np.ndarray, " count"]:
    """Effects whose mean is 0 and whose sample variance is 1."""
    own = rng(seed).standard_normal(count)
    return (own - own.mean()) / own.std(ddof=1)


def centred(values: Float[np.ndarray, "i j k"]) -> Float[np.ndarray, "i j k"]:
    """``values`` without the effect of any factor or pair of factors."""
    for axis in range(3):
        values = values - values.mean(axis=axis, keepdims=True)
    return values


def estimates(values: Float[np.ndarray, "*levels"]) -> dict[tuple[int, ...], float]:
    return {source: float(rows[0]) for source, rows in components(values, 0, rng()).items()}


def test_sources_are_all_sets_of_factors() -> None:
    assert list(sources(3)) == EVERY
    assert list(sources(2)) == [(0,), (1,), (0, 1)]


def test_additive_effects_have_their_sample_variances_and_nothing_else() -> None:
    a, b, c = 3 * standardised(4, 0), 2 * standardised(5, 1), standardised(3, 2)
    values = 7 + a[:, None, None] + b[:, None] + c
    found = estimates(values)
    assert [found[source] for source in EVERY] == pytest.approx([9, 4, 1, 0, 0, 0, 0], abs=1e-12)


def test_mean_squares_of_all_sources_add_up_to_the_whole_sum_of_squares() -> None:
    values = rng().standard_normal((4, 5, 3))
    freedoms = [3, 4, 2, 12, 6, 8, 24]
    squares = [mean_square(values, source) for source in EVERY]
    assert np.dot(freedoms, squares) == pytest.approx(np.sum((values - values.mean()) ** 2))


def test_a_residual_is_taken_off_what_seems_to_be_an_effect() -> None:
    rest = centred(rng().standard_normal((4, 5, 3)))
    rest /= np.sqrt(mean_square(rest, (0, 1, 2)))  # a residual of variance 1, and no other effects
    values = rest + 3 * standardised(4, 1)[:, None, None]
    found = estimates(values)
    assert found[0, 1, 2] == pytest.approx(1)
    # MS_a = 15 · 9, MS_ab = MS_ac = 0 and MS_abc = 1: (135 − 0 − 0 + 1) / 15.
    assert found[0,] == pytest.approx(9 + 1 / 15)
    # (0 − 1) / n is negative, so zero.
    assert found[0, 1] == found[0, 2] == found[1, 2] == 0


def test_known_components_are_recovered_in_a_large_design() -> None:
    variances = dict(zip(EVERY, (4.0, 2.0, 1.0, 0.5, 2.0, 1.0, 3.0), strict=True))
    values = np.zeros((40, 40, 40))
    for source, variance in variances.items():
        shape = [40 if axis in source else 1 for axis in range(3)]
        own = standardised(40 ** len(source), len(source) + sum(source)).reshape(shape)
        values = values + np.sqrt(variance) * own
    found = estimates(values)
    assert [found[source] for source in EVERY] == pytest.approx(list(variances.values()), rel=0.15)


def test_values_without_variance_have_no_components() -> None:
    found = components(np.full((3, 4, 2), 0.25), 50, rng())
    assert all(not rows.any() for rows in found.values())
    assert interval(found[0,][0], found[0,][1:])["high"] == 0


def test_a_factor_with_a_single_level_is_refused() -> None:
    with pytest.raises(ValueError, match="a factor has a single level"):
        components(np.zeros((3, 1, 2)), 10, rng())


def test_the_interval_of_a_residual_is_that_of_chi_squared() -> None:
    values = rng().standard_normal((3, 5))
    square = mean_square(values, (0, 1))
    rows = components(values, 20_000, rng(1))[0, 1]
    ends = interval(rows[0], rows[1:])
    expected = 8 * square / stats.chi2.ppf([0.975, 0.025], 8)
    assert [ends["low"], ends["high"]] == pytest.approx(expected, rel=0.05)


def test_intervals_hold_the_component_of_a_few_draws() -> None:
    """Eight draws with a variance as large as that of everything else; a share of 95 % is exact to 1 %."""
    generator, held = rng(), 0
    for _ in range(400):
        values = generator.standard_normal((8, 1, 1)) + generator.standard_normal((8, 5, 3))
        rows = components(values, 400, generator)[0,]
        own = interval(rows[0], rows[1:])
        assert own["low"] is not None
        assert own["high"] is not None
        held += own["low"] <= 1 <= own["high"]
    assert 0.91 < held / 400 < 0.99
