from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from ntklens.analysis.ends import Ends, Values, ends_of
from ntklens.storage.averages import Average

from tests.support.ensembles import averages_of, settings_of

WIDTHS = (8, 64)


def with_ends(average: Average, by_layer: bool) -> Average:
    """Members whose traces of two layers start at (1, 2) times a factor and end at (5, 4) times it."""
    factor = np.linspace(0.5, 1.5, len(average.seeds)) * average.scale
    initial = {
        "effective_rank": factor,
        "loss_susceptibility": np.full(len(factor), 0.5),
        "spectral_position": np.full(len(factor), 0.1),
    }
    minimum = {**average.minimum, **{name: 2 * own for name, own in initial.items()}}
    if by_layer:
        of_layers = np.outer(factor, [1.0, 2.0])
        initial |= {"layer_traces": of_layers, "weighted_trace": factor}
        minimum |= {"layer_traces": np.outer(factor, [5.0, 4.0]), "weighted_trace": 4 * factor}
        minimum |= {"kernel_change": factor}
    return replace(average, initial=initial, minimum=minimum, layers=("hidden_1", "output"))


def ends(by_layer: bool = True, members: int = 5) -> Ends:
    averages = averages_of(scales=WIDTHS, members=members)
    return ends_of([with_ends(own, by_layer) for own in averages], settings_of())


def one(own: object) -> Values:
    assert isinstance(own, dict)
    return cast(Values, own)


def layers(own: object) -> list[Values]:
    assert isinstance(own, list)
    return cast(list[Values], own)


def test_means_are_over_members_with_an_interval_around_them() -> None:
    rank = one(ends()["initial"]["effective_rank"])
    assert rank["value"] == pytest.approx(WIDTHS)
    for low, value, high in zip(rank["low"], rank["value"], rank["high"], strict=True):
        assert low is not None
        assert value is not None
        assert high is not None
        assert low < value < high


def test_a_layers_ratio_is_that_of_the_means_and_constant_factors_leave_it_exact() -> None:
    first, second = layers(ends()["between"]["layer_trace_ratio"])
    assert first["value"] == pytest.approx([4, 4])
    assert second["value"] == pytest.approx([1, 1])
    assert first["low"] == pytest.approx([4, 4])
    assert one(ends()["between"]["weighted_trace_ratio"])["value"] == pytest.approx([3, 3])


def test_shares_of_the_trace_add_up_to_one() -> None:
    for part in ("initial", "minimum"):
        shares = [own["value"] for own in layers(ends()[part]["trace_share"])]
        assert np.sum(np.array(shares, float), axis=0) == pytest.approx([1, 1])


def test_the_trace_at_the_minimum_follows_from_the_ratio() -> None:
    found, averages = ends(), averages_of(scales=WIDTHS)
    for place, average in enumerate(averages):
        initial, ratio = average.minimum["initial_trace"], average.minimum["trace_ratio"]
        assert one(found["initial"]["ntk_trace"])["value"][place] == pytest.approx(initial.mean())
        assert one(found["minimum"]["ntk_trace"])["value"][place] == pytest.approx(
            (initial * (1 + ratio)).mean()
        )


def test_networks_without_values_by_layer_have_the_rest() -> None:
    found: Any = ends(by_layer=False)
    assert found["layers"] == []
    assert set(found["initial"]) == {
        "effective_rank",
        "loss_susceptibility",
        "spectral_position",
        "ntk_trace",
    }
    assert found["between"] == {}


def with_layers(average: Average, count: int) -> Average:
    """``average`` of a network of ``count`` layers."""
    parts = {
        part: {
            name: np.repeat(own[:, :1], count, axis=1) if name == "layer_traces" else own
            for name, own in getattr(average, part).items()
        }
        for part in ("initial", "minimum")
    }
    return replace(average, **parts, layers=tuple(f"hidden_{number}" for number in range(count)))


def test_networks_of_other_layers_have_no_values_by_layer() -> None:
    averages = [with_ends(own, by_layer=True) for own in averages_of(scales=WIDTHS)]
    found: Any = ends_of(
        [with_layers(own, count) for own, count in zip(averages, (2, 3), strict=True)], settings_of()
    )
    assert found["layers"] == []
    for part in ("initial", "minimum", "between"):
        assert not any(isinstance(own, list) for own in found[part].values())
    assert found["initial"]["effective_rank"]["value"] == pytest.approx(WIDTHS)
    assert found["between"]["weighted_trace_ratio"]["value"] == pytest.approx([3, 3])


def test_a_single_member_has_no_interval() -> None:
    rank = one(ends(members=1)["initial"]["effective_rank"])
    assert rank["low"] == rank["high"] == [None, None]
