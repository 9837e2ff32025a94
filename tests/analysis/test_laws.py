import numpy as np
import pytest
from ntklens.analysis.laws import FORMS, BentLaw, PowerLaw

WIDTHS = 2.0 ** np.arange(3, 11)


def test_power_law_is_its_formula():
    assert PowerLaw(3.0, -0.8)(100.0) == pytest.approx(3 * 100**-0.8)


@pytest.mark.parametrize(
    ("law", "expected"),
    [
        (BentLaw("trace ratio", 18.0, 390.0), lambda m: 18 / (1 + m / 390)),
        (BentLaw("offset", 4e4, 390.0), lambda m: 4e4 * (1 + m / 390)),
        (BentLaw("saturating", 110.0, 150.0, 0.8), lambda m: 110 / (1 + 150 / m) ** 0.8),
        (BentLaw("limited", 0.4, 30.0, 1.2), lambda m: 0.4 + 0.4 * 30**1.2 * m**-1.2),
    ],
    ids=list(FORMS),
)
def test_bent_laws_are_their_formulas(law, expected):
    np.testing.assert_allclose(law(WIDTHS), expected(WIDTHS), rtol=1e-12)


def test_bent_laws_are_finite_far_from_the_bend():
    for name in FORMS:
        assert np.isfinite(BentLaw(name, 1.0, 100.0, 0.5)(np.array([1e-30, 1e30]))).all()
