import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from ntklens.analysis.claims import Claim, ClaimsError, claims_from
from ntklens.analysis.judging import Judged, judge
from ntklens.analysis.laws import PowerLaw
from ntklens.analysis.measures.catalogue import MEASURES
from ntklens.analysis.measures.results import CurveResults, Measured
from ntklens.analysis.settings import ComparedCurve
from ntklens.storage.curve import Curve
from ntklens.storage.quantities import QUANTITIES

from tests.support.ensembles import averages_of, settings_of

CLAIMS = Path(__file__).resolve().parents[2] / "config" / "claims.yaml"
FALLS = Claim(
    id="loss",
    section="4.2",
    figure="2",
    says="The loss falls as m^−0.5",
    studies=("model-scaling",),
    measure="slope",
    quantity="test_loss",
    value=-0.5,
    margin=0.1,
)


def judged(
    dataset: str, exponent: float, study: str = "model-scaling", hidden_layers: int = 2, noise: float = 1e-3
) -> Judged:
    """A curve whose test loss has this exponent."""
    settings = settings_of(curve=Curve(study, dataset, f"{hidden_layers}-hidden"))
    averages = averages_of(noise=noise, loss=PowerLaw(3.0, exponent))
    return Judged(
        ComparedCurve(settings, hidden_layers, f"{study} {dataset}", in_figure_2=True),
        CurveResults(averages, settings),
    )


def changed(**keys: Any) -> Claim:
    return dataclasses.replace(FALLS, **keys)


def test_every_claim_names_a_measure_and_a_quantity_that_exist() -> None:
    for claim in claims_from(yaml.safe_load(CLAIMS.read_text(encoding="utf-8"))):
        assert claim.measure in MEASURES
        assert claim.quantity is None or claim.quantity in QUANTITIES


def test_every_measure_says_how_it_is_computed() -> None:
    assert all(measure.__doc__ for measure in MEASURES.values())


@pytest.mark.parametrize(("exponent", "verdict"), [(-0.5, "agrees"), (-0.3, "disagrees")])
def test_a_claim_is_judged_on_each_curve(exponent: float, verdict: str) -> None:
    (row,) = judge([FALLS], [judged("digits", exponent)])
    assert row.estimate == pytest.approx(exponent, abs=0.01)
    assert row.verdict == verdict
    assert row.interval.low < exponent < row.interval.high


def test_a_wide_interval_decides_nothing() -> None:
    (row,) = judge([FALLS], [judged("digits", -0.5, noise=1.5)])
    assert row.verdict == "not decided"


def test_a_claim_chooses_its_curves() -> None:
    curves = [judged("digits", -0.5), judged("mnist", -0.5, hidden_layers=3)]
    assert [row.curve for row in judge([changed(hidden_layers=3)], curves)] == ["model-scaling mnist"]
    assert [row.curve for row in judge([changed(datasets=("digits",))], curves)] == ["model-scaling digits"]
    (row,) = judge([changed(studies=("noise-scaling",))], curves)
    assert row.verdict == "not measured"


def test_pairs_of_datasets_share_study_and_network() -> None:
    curves = [judged("digits", -0.5), judged("mnist", -0.3), judged("mnist", -0.3, hidden_layers=3)]
    (row,) = judge([changed(pairs="datasets", value=0.0)], curves)
    assert row.curve == "model-scaling digits − model-scaling mnist"
    assert row.estimate == pytest.approx(-0.2, abs=0.01)
    assert row.verdict == "disagrees"


def test_pairs_of_studies_share_the_dataset() -> None:
    curves = [judged("digits", -0.5), judged("digits", -0.5, study="data-scaling", hidden_layers=3)]
    claim = changed(pairs="studies", studies=("model-scaling", "data-scaling"), value=0.0)
    (row,) = judge([claim], [*curves, judged("mnist", -0.9)])
    assert row.verdict == "agrees"


def test_what_a_curve_lacks_is_said() -> None:
    (row,) = judge([changed(measure="change", quantity="label_alignment")], [judged("digits", -0.5)])
    assert row.verdict == "not measured"
    assert row.how == "label_alignment was not measured along training"


def test_a_number_that_is_not_defined_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_: CurveResults, __: str) -> Measured:
        """a number that is none"""
        return Measured(np.nan, np.full(3, np.nan))

    monkeypatch.setitem(MEASURES, "nothing", nothing)
    (row,) = judge([changed(measure="nothing")], [judged("digits", -0.5)])
    assert (row.verdict, row.how) == ("not measured", "not defined on these results: a number that is none")


def test_a_pair_of_which_one_has_no_interval_has_none() -> None:
    known, single = Measured(1.0, np.ones(5)), Measured(0.4, np.empty(0))
    for one, other in ((known, single), (single, known)):
        difference = one.less(other)
        assert abs(difference.value) == pytest.approx(0.6)
        assert not len(difference.resampled)


def test_an_unknown_measure_is_named() -> None:
    with pytest.raises(ClaimsError, match="claim loss: no measure is called 'slpoe'"):
        judge([changed(measure="slpoe")], [])
