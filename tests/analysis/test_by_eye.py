import numpy as np
import pytest
from ntklens.analysis.by_eye import by_eye

LOG = np.log(2.0 ** np.arange(3, 11))


def test_a_line_and_a_plateau_meet_where_they_were_joined():
    rank = np.minimum(0.4 * (LOG - LOG[5]), 0.0)
    slope, meeting = by_eye(LOG, rank[None], "narrow")
    assert slope[0] == pytest.approx(0.4)
    assert meeting[0] == pytest.approx(LOG[5])
    ratio = np.minimum(-0.8 * (LOG - LOG[3]), 0.0)
    slope, meeting = by_eye(LOG, ratio[None], "wide")
    assert slope[0] == pytest.approx(-0.8)
    assert meeting[0] == pytest.approx(LOG[3])


def test_lines_that_meet_outside_the_scales_are_censored():
    _, meeting = by_eye(LOG, np.stack([LOG, np.append(LOG[:-1], 40.0)]), "narrow")
    assert meeting[0] == pytest.approx(LOG[-1])
    assert meeting[1] == np.inf


def test_a_flat_line_meets_nothing():
    flat = np.full((1, len(LOG)), np.log(100.0)) + 1e-15 * np.arange(len(LOG))
    for side in ("narrow", "wide"):
        assert np.isnan(by_eye(LOG, flat, side)[1]).all()


def test_too_few_scales_raise():
    with pytest.raises(ValueError, match="3 scales are too few for a line and a plateau"):
        by_eye(LOG[:3], np.zeros((1, 3)), "narrow")
