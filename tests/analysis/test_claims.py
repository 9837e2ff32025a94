import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from ntklens.analysis.claims import ClaimsError, Interval, claims_from

ROOT = Path(__file__).resolve().parents[2]
ABOUT_HALF = {
    "id": "exponent",
    "section": "4.2",
    "figure": "2",
    "says": "The exponent is about 0.5",
    "studies": ["model-scaling"],
    "measure": "slope",
    "quantity": "test_loss",
    "value": -0.5,
    "margin": 0.1,
}


def claim_with(**changes: Any) -> dict[str, Any]:
    """The claim above with other keys; None removes one."""
    return {key: value for key, value in {**ABOUT_HALF, **changes}.items() if value is not None}


def test_every_claim_of_the_config_is_read() -> None:
    claims = claims_from(yaml.safe_load((ROOT / "config" / "claims.yaml").read_text(encoding="utf-8")))
    sections = {claim.section.split(",")[0] for claim in claims}
    assert {"1", "4.1", "4.2", "5", "5.1", "B.1", "B.2", "E.1", "E.2", "E.3"} <= sections


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [
        ((-0.55, -0.45), "agrees"),
        ((-0.6, -0.4), "agrees"),
        ((-0.7, -0.5), "not decided"),
        ((-0.9, -0.1), "not decided"),
        ((-0.3, -0.2), "disagrees"),
        ((-math.inf, -0.5), "not decided"),
        ((-math.inf, -0.7), "disagrees"),
        ((math.nan, math.nan), "not measured"),
    ],
)
def test_verdict_follows_from_interval_and_range(interval: tuple[float, float], verdict: str) -> None:
    (claim,) = claims_from([ABOUT_HALF])
    assert Interval(*interval).verdict_on(claim.accepted) == verdict


@pytest.mark.parametrize(
    ("keys", "accepted", "words"),
    [
        ({"margin": 0.1}, (-0.6, -0.4), "-0.5 ± 0.1"),
        ({"value": 500, "margin": None, "factor": 2}, (250, 1000), "500 within a factor of 2"),
        ({"value": None, "margin": None, "above": 0}, (0, math.inf), "> 0"),
        ({"value": None, "margin": None, "below": 1}, (-math.inf, 1), "< 1"),
    ],
)
def test_ranges(keys: dict[str, Any], accepted: tuple[float, float], words: str) -> None:
    (claim,) = claims_from([claim_with(**keys)])
    assert claim.accepted == pytest.approx(accepted, rel=1e-12, abs=1e-300)
    assert claim.range_in_words == words


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"above": 0.0}, "give its range"),
        ({"value": None}, "give its range"),
        ({"margin": None}, "give its range"),
        ({"margin": -0.1}, "margin must not be negative"),
        ({"margin": None, "factor": 2.0}, "its value must be positive"),
        ({"margin": None, "factor": 1.0, "value": 500}, "factor must exceed 1"),
        ({"value": math.nan}, "must be finite"),
        ({"margin": math.nan}, "must be finite"),
        ({"value": 500, "margin": None, "factor": math.inf}, "must be finite"),
        ({"value": None, "margin": None, "above": -math.inf}, "must be finite"),
        ({"quantitiy": "test_loss"}, "quantitiy"),
        ({"says": None}, "says"),
        ({"section": 4.2}, "section"),
        ({"pairs": "networks"}, "pairs"),
    ],
)
def test_wrong_claim_is_named_in_one_line(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ClaimsError) as caught:
        claims_from([claim_with(**changes)])
    assert "exponent" in str(caught.value)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bound_itself_is_neither_above_nor_below() -> None:
    for key in ("above", "below"):
        (claim,) = claims_from([claim_with(value=None, margin=None, **{key: 1.0})])
        assert Interval(1.0, 1.0).verdict_on(claim.accepted) == "disagrees"


def test_ids_are_unique() -> None:
    with pytest.raises(ClaimsError, match="two claims have the id exponent"):
        claims_from([ABOUT_HALF, ABOUT_HALF])


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    )
)
def test_anything_else_is_refused(content: Any) -> None:
    if content == []:
        assert claims_from(content) == []
        return
    with pytest.raises(ClaimsError):
        claims_from(content)


@given(st.floats(-10, 10), st.floats(0, 10), st.floats(-10, 10), st.floats(0, 10))
def test_a_narrower_interval_never_turns_a_verdict_round(
    low: float, width: float, accepted_low: float, accepted_width: float
) -> None:
    accepted = Interval(accepted_low, accepted_low + accepted_width)
    wide = Interval(low, low + width).verdict_on(accepted)
    narrow = Interval(low + width / 4, low + width / 2).verdict_on(accepted)
    assert wide == "not decided" or narrow == wide
