import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ntklens.analysis.fitting import BEYOND, fit_bent_laws, fit_power_laws
from ntklens.analysis.laws import FORMS, LIMITED, OFFSET, SATURATING, TRACE_RATIO, BentLaw, PowerLaw

WIDTHS = 2.0 ** np.arange(3, 11)
LOG = np.log(WIDTHS)
EQUAL = np.ones(len(WIDTHS))


def fitted(form, values, weights=EQUAL, log_x=LOG):
    """The fit of one data set: log level, log bend, power, squares."""
    return [float(own[0]) for own in fit_bent_laws(form, log_x, np.log(values)[None], weights)]


@pytest.mark.parametrize("bend", [4.0, 20.0, 392.0, 3000.0])
@pytest.mark.parametrize("form", [TRACE_RATIO, OFFSET])
def test_laws_of_two_parameters_come_back(form, bend):
    """m_β = 392 came back as 197 from the broken power law that this replaces."""
    level, found, power, squares = fitted(form, BentLaw(form.name, 18.0, bend)(WIDTHS))
    assert np.exp(found) == pytest.approx(bend, rel=1e-6)
    assert np.exp(level) == pytest.approx(18, rel=1e-6)
    assert power == 1
    assert squares == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("power", [0.4, 1.0, 2.5])
@pytest.mark.parametrize("bend", [30.0, 200.0])
@pytest.mark.parametrize("form", [SATURATING, LIMITED])
def test_laws_of_three_parameters_come_back(form, bend, power):
    level, found, p, _ = fitted(form, BentLaw(form.name, 110.0, bend, power)(WIDTHS))
    assert np.exp(found) == pytest.approx(bend, rel=1e-6)
    assert np.exp(level) == pytest.approx(110, rel=1e-6)
    assert p == pytest.approx(power, rel=1e-6)


def test_power_law_comes_back():
    fits = fit_power_laws(LOG, np.log(PowerLaw(3.0, -0.8)(WIDTHS))[None], EQUAL)
    assert fits.exponent[0] == pytest.approx(-0.8, abs=1e-12)
    assert np.exp(fits.log_amplitude[0]) == pytest.approx(3)
    assert fits.squares[0] == pytest.approx(0, abs=1e-20)


def test_many_rows_are_fitted_as_each_alone():
    rng = np.random.default_rng(0)
    rows = np.log(BentLaw("saturating", 100.0, 100.0, 0.8)(WIDTHS)) + 0.05 * rng.standard_normal((20, 8))
    together = fit_bent_laws(SATURATING, LOG, rows, EQUAL)
    for i, row in enumerate(rows):
        alone = fit_bent_laws(SATURATING, LOG, row[None], EQUAL)
        np.testing.assert_allclose([own[i] for own in together], [own[0] for own in alone], rtol=1e-6)


@pytest.mark.parametrize("form", list(FORMS.values()), ids=list(FORMS))
def test_fits_follow_a_change_of_units(form):
    rng = np.random.default_rng(1)
    values = BentLaw(form.name, 18.0, 150.0)(WIDTHS) * np.exp(0.01 * rng.standard_normal(8))
    level, bend, power, squares = fitted(form, values)
    scaled = fitted(form, 7 * values, log_x=LOG + np.log(3))
    np.testing.assert_allclose(scaled, [level + np.log(7), bend + np.log(3), power, squares], rtol=1e-5)


def test_a_point_without_weight_does_not_matter():
    values = BentLaw("trace ratio", 18.0, 390.0)(WIDTHS)
    values[0] *= 5
    weights = np.where(np.arange(8) == 0, 1e-12, 1.0)
    assert np.exp(fitted(TRACE_RATIO, values, weights)[1]) == pytest.approx(390, rel=1e-4)
    assert np.exp(fitted(TRACE_RATIO, values)[1]) < 300


def test_squares_are_weighted():
    rng = np.random.default_rng(2)
    rows = rng.standard_normal((1, 8))
    once, twice = (fit_power_laws(LOG, rows, factor * EQUAL).squares[0] for factor in (1, 2))
    assert twice == pytest.approx(2 * once)
    slope, start = np.polyfit(LOG, rows[0], 1)
    assert once == pytest.approx(np.sum((rows[0] - slope * LOG - start) ** 2))


@pytest.mark.parametrize("form", list(FORMS.values()), ids=list(FORMS))
def test_a_power_law_puts_the_bend_beyond_the_grid(form):
    """A power law is what a bent law is on one side: the bend is censored there, and the level with it."""
    exponent = form.s * form.sign
    level, bend, power, _ = fitted(form, 5 * WIDTHS**exponent)
    assert bend == -form.sign * np.inf
    assert level == -form.s * np.inf
    assert np.isnan(power) == form.fitted_power


@pytest.mark.parametrize("form", [TRACE_RATIO, SATURATING])
def test_opposite_curvature_censors_on_the_flat_side_or_the_steep_one(form):
    """β that rises, and Γ that falls, are a constant at best."""
    level, bend, power, _ = fitted(form, WIDTHS ** (-0.3 * form.s * form.sign))
    assert bend == form.sign * np.inf
    assert np.isfinite(level)
    assert np.isnan(power) == form.fitted_power


def test_a_bend_just_inside_the_grid_is_found():
    bend = WIDTHS[-1] * BEYOND / 2
    assert np.exp(fitted(TRACE_RATIO, BentLaw("trace ratio", 1.0, bend)(WIDTHS))[1]) == pytest.approx(bend)


@pytest.mark.parametrize("power", [0.003, 8.0])
def test_a_power_beyond_the_grid_leaves_bend_and_level_undetermined(power):
    level, bend, found, squares = fitted(SATURATING, BentLaw("saturating", 100.0, 300.0, power)(WIDTHS))
    assert np.isnan(bend)
    assert np.isnan(level)
    assert np.isinf(found)
    assert np.isfinite(squares)


def test_a_slow_rise_comes_back():
    """Such as that of the gain of the trace with width."""
    level, bend, power, _ = fitted(SATURATING, BentLaw("saturating", 100.0, 300.0, 0.03)(WIDTHS))
    assert np.exp([level, bend]) == pytest.approx([100, 300], rel=1e-3)
    assert power == pytest.approx(0.03, rel=1e-3)


def test_a_row_with_nan_fails_alone():
    rows = np.log(np.stack([BentLaw("trace ratio", 18.0, 390.0)(WIDTHS)] * 2))
    rows[0, 3] = np.nan
    fits = fit_bent_laws(TRACE_RATIO, LOG, rows, EQUAL)
    assert np.isnan([own[0] for own in fits]).all()
    assert np.exp(fits.log_bend[1]) == pytest.approx(390)


@pytest.mark.parametrize(("form", "needed"), [(TRACE_RATIO, 3), (SATURATING, 4)])
def test_too_few_scales_raise(form, needed):
    values = np.zeros((1, needed - 1))
    with pytest.raises(ValueError, match=rf"{needed - 1} scales are too few for .* \({needed} needed\)"):
        fit_bent_laws(form, LOG[: needed - 1], values, EQUAL[: needed - 1])


def test_one_scale_has_no_power_law():
    with pytest.raises(ValueError, match="1 scales are too few for a power law"):
        fit_power_laws(LOG[:1], np.zeros((1, 1)), EQUAL[:1])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-30, 30), min_size=4, max_size=8), st.sampled_from(list(FORMS.values())))
def test_any_values_give_finite_squares_hardly_worse_than_a_constant(log_y, form):
    rows, log_x = np.array([log_y]), LOG[: len(log_y)]
    squares = fit_bent_laws(form, log_x, rows, EQUAL[: len(log_y)]).squares[0]
    # At the edge of the grid a law is a constant but for 3 % at the nearest scale.
    assert 0 <= squares <= (np.linalg.norm(rows - rows.mean()) + 0.1) ** 2
