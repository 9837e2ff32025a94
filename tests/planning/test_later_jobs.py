"""The jobs after training, counted from what figures need."""

from collections import Counter

from ntklens.planning import paths
from ntklens.planning.config import load
from ntklens.planning.later_jobs import LaterJobs, later_jobs

from tests.support.small_config import BY_SIZE, BY_WIDTH, changed, small


def files(*needs: str) -> list[str]:
    """The files of both kinds of curves that a figure needs."""
    patterns = [paths.averages("small") if need == "averages" else paths.fit("small", need) for need in needs]
    return [pattern.format(**curve._asdict()) for pattern in patterns for curve in (BY_WIDTH, BY_SIZE)]


def test_figure_has_averages_and_closed_forms_behind_its_fits() -> None:
    later = later_jobs(load(small()), {"2": files("power-laws", "averages"), "own-laws": files("ends")})
    assert later.of_figures == {
        # Closed forms describe the curve along the width alone.
        "2": Counter(power_laws=2, aggregate=2, infinite_width=1, figure_2=1),
        "own-laws": Counter(ends=2, aggregate=2, figure_own_laws=1),
    }


def test_figures_share_their_jobs_and_every_curve_is_averaged_once() -> None:
    later = later_jobs(load(small()), {"1": files("ends")[:1], "2": files("ends", "adaptation-rate")[:3]})
    assert later.whole == Counter(
        ends=2, adaptation_rate=1, aggregate=3, figure_1=1, figure_2=1, comparison=1, gallery=1, all=1
    )


def test_without_figures_there_are_the_averages_of_the_comparison() -> None:
    assert later_jobs(load(small()), {}) == LaterJobs(Counter(aggregate=3, comparison=1, all=1), {})


def test_other_training_networks_or_normalisations_have_no_closed_form() -> None:
    networks = {"three-layer": {"hidden_layers": 2, "biases": False}, "four-layer": {"hidden_layers": 3}}
    later = later_jobs(load(changed(("networks",), networks)), {"3": files("transition")[:1]})
    assert later.of_figures["3"] == Counter(transition=1, aggregate=1, figure_3=1)
