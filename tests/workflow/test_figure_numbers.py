"""Every number in the figures' JSON files equals one computed independently from the run files."""

import hashlib
import json

import h5py
import numpy as np
import pytest

SMOOTHING = 4  # epochs, from config/smoke.yaml; the trace is measured every second epoch


def runs(finished, curve, needed=None):
    """The seeds' groups at each scale of one curve, read into dictionaries."""
    points = {}
    for path in sorted((finished / f"results/smoke/runs/{curve}").glob("*/*.h5")):
        scale = int(path.parent.name.split("-")[1])
        with h5py.File(path) as file:
            points.setdefault(scale, []).extend(
                {name: file[seed][name][()] for name in needed or NEEDED} for seed in file
            )
    return dict(sorted(points.items()))


NEEDED = (
    "train_loss",
    "test_epoch",
    "test_loss",
    "trace/epoch",
    "trace/ntk_trace",
    "spectrum/epoch",
    "spectrum/eigenvalues",
    "spectrum/label_alignment",
    "spectrum/summed_label_alignment",
    "spectrum/misalignment_as_printed",
    "spectrum/misalignment_sign_matched",
    "spectrum/misalignment_basis_free",
    "minimum/epoch",
    "minimum/test_loss",
    "minimum/ntk_trace",
    "minimum/eigenvalues",
)
CURVES = {
    "model-scaling": "model-scaling/digits/three-layer",
    "data-scaling": "data-scaling/digits/four-layer",
}


def gamma(eigenvalues):
    shares = np.clip(np.float64(eigenvalues), 1e-14, None)
    shares /= shares.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def mean_and_error(values):
    values = np.asarray(values, dtype=float)
    return values.mean(), np.sqrt(((values - values.mean()) ** 2).sum() / (len(values) - 1) / len(values))


def stack(seeds, name):
    length = min(len(seed[name]) for seed in seeds)
    return np.stack([np.float64(seed[name][:length]) for seed in seeds])


def mean_minimum(seeds):
    lowest = np.argmin(stack(seeds, "test_loss").mean(axis=0))
    return int(seeds[0]["test_epoch"][lowest])


def log_loss(seeds):
    return np.log(stack(seeds, "train_loss")).mean(axis=0)


def adaptation(seeds):
    """Epochs, log loss and χ, computed from cumulative sums and explicit differences."""
    epoch = stack(seeds, "trace/epoch")[0].astype(int)
    trace, loss = stack(seeds, "trace/ntk_trace").mean(axis=0), log_loss(seeds)[epoch]
    width = SMOOTHING // 2

    def smooth(values):
        total = np.concatenate([[0.0], np.cumsum(values)])
        return (total[width:] - total[:-width]) / width

    t, s, e = smooth(trace), smooth(loss), smooth(epoch.astype(float))
    slope = [(t[1] - t[0]) / (s[1] - s[0])]
    slope += [(t[i + 1] - t[i - 1]) / (s[i + 1] - s[i - 1]) for i in range(1, len(t) - 1)]
    slope += [(t[-1] - t[-2]) / (s[-1] - s[-2])]
    return e, s, np.array(slope)


def chi_at_minimum(seeds):
    epoch, _, chi = adaptation(seeds)
    at = mean_minimum(seeds)
    after = int(np.searchsorted(epoch, at))
    share = (at - epoch[after - 1]) / (epoch[after] - epoch[after - 1])
    return chi[after - 1] * (1 - share) + chi[after] * share


def content(finished, number):
    return json.loads((finished / f"results/smoke/figures/figure-{number}.json").read_text(encoding="utf-8"))


def panels_of(finished, number, **wanted):
    return [
        panel
        for panel in content(finished, number)["panels"]
        if all(panel[key] == value for key, value in wanted.items())
    ]


def drawn_along_training(finished, number, study, quantity):
    """The panel's series by scale, after checking that their scales are those of the runs."""
    (panel,) = panels_of(finished, number, study=study, quantity=quantity)
    points = runs(finished, CURVES[study])
    assert [series["scale"] for series in panel["series"]] == list(points)
    return zip(panel["series"], points.values(), strict=True)


def assert_at_spectra(series, seeds, values):
    """Assert that ``series`` is the mean over seeds of ``values(seed)`` until the mean minimum.

    ``values`` returns one number for each epoch at which spectra were measured.
    """
    epoch = [e for e in seeds[0]["spectrum/epoch"] if e <= mean_minimum(seeds)]
    columns = np.transpose([values(seed)[: len(epoch)] for seed in seeds])
    expected = np.array([mean_and_error(column) for column in columns])
    assert_series(series, np.exp(log_loss(seeds))[epoch], expected[:, 0], expected[:, 1])


@pytest.mark.parametrize("study", CURVES)
@pytest.mark.parametrize("number", [1, 5])
def test_trace_is_that_of_the_runs(finished, number, study):
    for series, seeds in drawn_along_training(finished, number, study, "ntk_trace"):
        epoch = [e for e in seeds[0]["trace/epoch"] if e <= mean_minimum(seeds)]
        measured = stack(seeds, "trace/ntk_trace")[:, : len(epoch)]
        expected = np.array([mean_and_error(column) for column in measured.T])
        assert_series(series, np.exp(log_loss(seeds))[epoch], expected[:, 0], expected[:, 1])


@pytest.mark.parametrize("study", CURVES)
@pytest.mark.parametrize("number", [1, 5])
def test_adaptation_rate_is_that_of_the_runs(finished, number, study):
    for series, seeds in drawn_along_training(finished, number, study, "adaptation_rate"):
        epoch, smooth_loss, slope = adaptation(seeds)
        shown = epoch <= mean_minimum(seeds)
        np.testing.assert_allclose(series["x"], np.exp(smooth_loss[shown]), rtol=1e-6)
        np.testing.assert_allclose(series["y"], -slope[shown], rtol=1e-6)
        inside = [
            low <= y <= high for low, y, high in zip(*(series[k] for k in ("low", "y", "high")), strict=True)
        ]
        assert np.mean(inside) > 0.9


@pytest.mark.parametrize("study", CURVES)
@pytest.mark.parametrize("number", [1, 6])
def test_effective_rank_is_that_of_the_runs(finished, number, study):
    for series, seeds in drawn_along_training(finished, number, study, "effective_rank"):
        assert_at_spectra(
            series, seeds, lambda seed: np.array([gamma(r) for (r,) in seed["spectrum/eigenvalues"]])
        )


@pytest.mark.parametrize("study", CURVES)
@pytest.mark.parametrize(
    ("quantity", "form", "dataset"),
    [
        ("label_alignment", "all outputs", "label_alignment"),
        ("label_alignment", "summed over outputs", "summed_label_alignment"),
        ("misalignment", "as printed", "misalignment_as_printed"),
        ("misalignment", "sign-matched", "misalignment_sign_matched"),
        ("misalignment_of_space", None, "misalignment_basis_free"),
    ],
)
def test_figure_8_shows_the_runs(finished, study, quantity, form, dataset):
    (panel,) = panels_of(finished, 8, study=study, quantity=quantity)
    shown = [series for series in panel["series"] if series.get("form") == form]
    points = runs(finished, CURVES[study])
    assert [series["scale"] for series in shown] == list(points)
    for series, seeds in zip(shown, points.values(), strict=True):
        assert_at_spectra(series, seeds, lambda seed: np.float64(seed[f"spectrum/{dataset}"][:, 0]))
        assert all(-1e-6 <= value <= 2 for value in series["y"])


NOISE = ("epoch", "train_accuracy", "test_accuracy", "spectrum/epoch", "spectrum/eigenvalues")


@pytest.mark.parametrize("network", ["dense", "convolutional"])
def test_figures_4_and_7_show_the_runs(finished, network):
    curve = f"noise-scaling/digits/{network}"
    points = {level: seeds for level, (seeds,) in runs(finished, curve, NOISE).items()}
    (rank,) = panels_of(finished, 4, network=network)
    assert [series["scale"] for series in rank["series"]] == list(points) == [0, 50]
    # One seed: the error is that over its draws.
    for series, seed in zip(rank["series"], points.values(), strict=True):
        draws = [[gamma(draw) for draw in epoch] for epoch in seed["spectrum/eigenvalues"]]
        expected = np.array([mean_and_error(values) for values in draws])
        assert_series(series, seed["spectrum/epoch"], expected[:, 0], expected[:, 1])
    for quantity in ("train_accuracy", "test_accuracy"):
        (panel,) = panels_of(finished, 7, network=network, quantity=quantity)
        for series, seed in zip(panel["series"], points.values(), strict=True):
            assert_series(series, seed["epoch"], seed[quantity], 0)


def assert_series(series, x, y, error=None, rtol=1e-6):
    np.testing.assert_allclose(series["x"], x, rtol=rtol)
    np.testing.assert_allclose(series["y"], y, rtol=rtol)
    if error is None:
        assert series["low"] is series["high"] is None
    else:
        np.testing.assert_allclose(series["low"], np.subtract(y, error), rtol=rtol)
        np.testing.assert_allclose(series["high"], np.add(y, error), rtol=rtol)


def at_minima(seeds):
    return {
        "test_loss": [seed["minimum/test_loss"] for seed in seeds],
        "effective_rank": [gamma(seed["minimum/eigenvalues"]) for seed in seeds],
        "initial_trace": [seed["trace/ntk_trace"][0] for seed in seeds],
        "trace_ratio": [seed["minimum/ntk_trace"] / seed["trace/ntk_trace"][0] - 1 for seed in seeds],
    }


def key_quantities(points):
    """Means and errors of each quantity along the scales."""
    per_point = [at_minima(seeds) for seeds in points.values()]
    result = {
        name: np.array([mean_and_error(values[name]) for values in per_point]).T for name in per_point[0]
    }
    gain = [np.multiply(values["trace_ratio"], values["initial_trace"]) for values in per_point]
    trace = [np.array(values["initial_trace"]) for values in per_point]
    result["trace_ratio"] = np.array([ratio_and_error(*both) for both in zip(gain, trace, strict=True)]).T
    result["adaptation_rate"] = np.array([-chi_at_minimum(seeds) for seeds in points.values()]), None
    return result


def ratio_and_error(over, under):
    """The ratio of two means, and its standard error to first order."""
    ratio = over.mean() / under.mean()
    return ratio, mean_and_error((over - ratio * under) / under.mean())[1]


@pytest.mark.parametrize("study", CURVES)
def test_figure_2_shows_the_runs(finished, study):
    points = runs(finished, CURVES[study])
    expected = key_quantities(points)
    shown = {
        series["quantity"]: series
        for panel in panels_of(finished, 2, study=study)
        for series in panel["series"]
    }
    assert set(shown) == {"test_loss", "effective_rank", "initial_trace", "adaptation_rate"}
    for quantity, series in shown.items():
        mean, error = expected[quantity]
        unit = mean[0] if quantity == "effective_rank" else 1
        if error is None:
            np.testing.assert_allclose(series["y"], mean, rtol=1e-5)  # members' curves are single precision
        else:
            assert_series(series, list(points), mean / unit, error / unit, rtol=1e-5)


def weighted_slope(scale, values):
    """The slope of log means, weighted by variances that follow a power law, the likeliest on a fine grid."""
    log_x, values = np.log(scale), [np.array(own) for own in values]
    variance = np.array([(own / own.mean()).var(ddof=1) for own in values])
    if not variance.any():
        return 0.0
    freedom = np.array([len(own) - 1 for own in values])
    shares = freedom / freedom.sum()
    b = np.linspace(-6, 6, 120_001)[:, None]
    fitted = np.log((shares * variance * np.exp(-b * log_x)).sum(axis=1)) + b[:, 0] * (shares @ log_x)
    weights = np.array([len(own) for own in values]) * np.exp(-b[np.argmin(fitted), 0] * log_x)
    return np.polyfit(log_x, np.log([own.mean() for own in values]), 1, w=np.sqrt(weights))[0]


def test_figure_2_quotes_the_weighted_slopes_of_its_points(finished):
    tested = 0
    for fit in content(finished, 2)["fits"]:
        if fit["law"] == "power law" and fit["quantity"] != "adaptation_rate":
            points = runs(finished, CURVES[fit["study"]])
            slope = weighted_slope(list(points), [at_minima(own)[fit["quantity"]] for own in points.values()])
            assert fit["exponent"]["value"] == pytest.approx(slope, rel=1e-3, abs=1e-5)
            assert fit["window"] == [min(points), max(points)]
            tested += 1
    assert tested


def test_figure_3_shows_the_runs(finished):
    points = runs(finished, CURVES["model-scaling"])
    expected = key_quantities(points)
    (panel,) = content(finished, 3)["panels"]
    assert [series["quantity"] for series in panel["series"]] == ["trace_ratio", "effective_rank"]
    for series in panel["series"]:
        assert_series(series, list(points), *expected[series["quantity"]], rtol=1e-5)


def test_figure_3_says_why_it_marks_no_bend_of_the_rank(finished):
    """Three widths are too few for a law of three parameters."""
    (panel,) = content(finished, 3)["panels"]
    _, rank = panel["series"]
    assert rank["bend"] is None
    assert "too few" in rank["no_bend_because"]
    assert panel["drawn"]["trace_ratio"] == "ratio of means"
    assert panel["infinite_effective_rank"] > 1


@pytest.mark.parametrize("number", range(1, 9))
def test_figures_name_their_inputs_and_their_bytes(finished, number):
    provenance = content(finished, number)["provenance"]
    assert provenance["inputs"]
    for path, digest in provenance["inputs"].items():
        assert hashlib.sha256((finished / path).read_bytes()).hexdigest() == digest
