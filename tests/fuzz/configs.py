"""Random small configs that are valid by construction: strategies for every section."""

import math

from tests.fuzz import draws as st

DATASETS = ("digits", "mnist-5k", "mnist-5k-4", "mnist", "fashion-mnist-modified")
SCALED, GIVEN_WIDTH = ("three-layer", "four-layer"), ("dense", "convolutional")
NAMES = st.names()
RATES = st.floats(1e-6, 10)
SEEDS = st.integers(0, 10**9)
JOBS = st.none() | st.integers(1, 4)


def some(**keys):
    """A mapping with any of ``keys``."""
    return st.mapping({}, keys)


def several(*items, most=3):
    return st.distinct(st.sampled_from(items), 1, most)


def scales(least, largest):
    return st.distinct(st.integers(least, largest), 1, 4)


def epochs_to(last):
    return st.distinct(st.integers(1, last), 0, 4).map(lambda epochs: [0, *sorted(epochs)])


@st.composite
def schedules(draw):
    """The section ``training``, and a length of the running mean that suits it; None for the default."""
    first = draw(st.integers(20, 60))
    last, step = draw(st.integers(first + 1, 200)), draw(st.integers(1, 3))
    training = {"window": {"first": first, "last": last}} | draw(
        some(
            max_epochs=st.integers(1, 100).map(lambda more: math.ceil(1.3 * last) + more),
            spectrum_epochs=epochs_to(last),
            test_every=st.integers(1, last),
            patience=st.floats(1.01, 1.25),
            save_parameters=st.integers(0, 3),
        )
    )
    if draw(st.booleans()):
        return training, None
    return {**training, "trace_every": step}, step * draw(st.integers(1, 2))


@st.composite
def _joined(draw, *parts):
    return {key: value for part in parts for key, value in draw(part).items()}


def networks():
    dense = some(
        initialisation=st.sampled_from(["lecun-normal", "xavier-uniform", "he-uniform"]),
        parametrisation=st.sampled_from(["standard", "ntk"]),
        biases=st.booleans(),
    )
    convolutional = some(
        filters=st.integers(1, 8),
        kernel_size=st.integers(1, 5),
        pooling=st.sampled_from(["max", "average", "none"]),
    )
    one = _joined(st.mapping({"hidden_layers": st.integers(1, 3)}), dense)
    wide = _joined(one, st.mapping({"width": st.integers(1, 16)}))
    with_filters = _joined(wide, convolutional, st.mapping({"convolutions": st.integers(1, 2)}))
    return st.mapping({"three-layer": one, "four-layer": one, "dense": wide, "convolutional": with_filters})


@st.composite
def recipes(draw):
    """The section ``recipes``: full batches by adam, and mini-batches, called own."""
    momentum = st.mapping({"optimizer": st.just("sgd"), "momentum": st.floats(0, 0.99)})
    own = draw(momentum | st.just({"optimizer": "adam"}))
    own |= {"batch_size": draw(st.integers(1, 64)), "learning_rate": draw(RATES)}
    if draw(st.booleans()):
        own |= {"epochs": draw(st.integers(4, 20))}
    own |= draw(some(evaluate_every=st.integers(1, 4)))
    return {"adam": draw(some(learning_rate=RATES)), "own": own}


def _anchored(draw, key, own):
    """A list of scales with anchors at its ends."""
    return {key: own, "calibrate_at": sorted({min(own), max(own)})}


ENSEMBLE = {"seeds": st.integers(3, 6), "min_members": st.integers(1, 3)}


@st.composite
def by_width(draw):
    entry = {"networks": draw(several(*SCALED)), **_anchored(draw, "widths", draw(scales(1, 64)))}
    return entry | draw(
        some(
            train_samples=st.integers(1, 300), learning_rate=st.none() | RATES, **ENSEMBLE, seeds_per_job=JOBS
        )
    )


@st.composite
def by_size(draw):
    entry = {"networks": draw(several(*SCALED, "dense")), **_anchored(draw, "sizes", draw(scales(1, 400)))}
    return entry | draw(
        some(
            width=st.integers(1, 16),
            vary_initialisation=st.booleans(),
            learning_rate=st.none() | RATES,
            **ENSEMBLE,
            seeds_per_job=JOBS,
        )
    )


@st.composite
def by_noise(draw):
    epochs = draw(st.integers(1, 30))
    entry = {
        "networks": draw(several(*GIVEN_WIDTH)),
        "train_samples": 20 * draw(st.integers(1, 10)),
        "removed_percent": draw(several(0, 25, 50)),
        "epochs": epochs,
        "spectrum_epochs": draw(epochs_to(epochs)),
        "ntk_samples": draw(st.integers(1, 20)),
    }
    return entry | draw(
        some(
            ntk_draws=st.integers(1, 3),
            evaluate_every=st.integers(1, epochs),
            sigma=st.floats(0, 10),
            draw_seed=SEEDS,
            seeds=st.integers(1, 5),
            seeds_per_job=JOBS,
            learning_rate=RATES,
            momentum=st.floats(0, 0.99),
            batch_size=st.integers(1, 64),
        )
    )


AXES = {
    "width": (several(*SCALED), scales(1, 64)),
    "train_samples": (several(*GIVEN_WIDTH), scales(1, 400)),
    "removed_share": (several(*GIVEN_WIDTH), several(25, 50)),
    "depth": (several(*GIVEN_WIDTH), scales(1, 5)),
    "input_size": (several(*GIVEN_WIDTH), scales(28, 40)),
}


@st.composite
def own_study(draw, axis, training, recipe):
    """An entry along ``axis``, with the recipe ``own`` of these keys or with adam."""
    networks, scale = (draw(one) for one in AXES[axis])
    by_own = "convolutional" in networks or draw(st.booleans())
    rate = recipe["own" if by_own else "adam"].get("learning_rate")
    last = (by_own and recipe["own"].get("epochs")) or training["window"]["last"]
    entry = {"axis": axis, "networks": networks} | draw(some(spectrum_epochs=epochs_to(last)))
    entry |= {"recipe": "own"} if by_own else draw(some(recipe=st.just("adam")))
    entry |= _anchored(draw, "scales", scale)
    entry |= draw(
        some(
            learning_rate=RATES,
            **ENSEMBLE,
            seeds_per_job=JOBS,
            vary=st.sampled_from(["initialisation", "data", "both"]),
            test_samples=st.integers(80, 150),
            ntk_samples=st.integers(1, 20),
            ntk_draws=st.integers(1, 3),
        )
    )
    if rate is None and "learning_rate" not in entry:
        entry |= draw(some(rate_factor=st.floats(0.1, 10)))
    if entry.get("vary", "initialisation") == "initialisation":
        entry |= draw(some(draw_seed=SEEDS))
    if axis != "width":
        entry |= draw(some(width=st.integers(1, 16)))
    if axis != "train_samples":
        entry |= {"train_samples": 20 * draw(st.integers(1, 15))} | draw(some(balanced=st.booleans()))
    if axis == "removed_share":
        entry |= draw(some(sigma=st.floats(0, 10)))
    if axis != "input_size":
        entry |= draw(some(image_size=st.integers(28, 40)))
    if axis == "input_size" or "image_size" in entry:
        entry |= draw(some(image_fit=st.sampled_from(["resized", "zero-padded"])))
    return entry


def on_datasets(draw, entries):
    """Entries on one to three datasets."""
    return [{"dataset": name, **draw(entries)} for name in draw(several(*DATASETS))]


@st.composite
def configs(draw):
    """A whole config."""
    (training, smoothing), recipe = draw(schedules()), draw(recipes())
    studies = {}
    for study, entries in {
        "model-scaling": by_width(),
        "data-scaling": by_size(),
        "noise-scaling": by_noise(),
    }.items():
        if draw(st.booleans()):
            studies[study] = on_datasets(draw, entries)
    for study in draw(st.distinct(NAMES, 0 if studies else 1, 2)):
        axis = draw(st.sampled_from(list(AXES)))
        studies[study] = on_datasets(draw, own_study(axis, training, recipe))
    config = {
        "name": draw(NAMES),
        "test_samples": draw(st.integers(150, 400)),
        "ntk_samples": draw(st.integers(1, 20)),
        "networks": draw(networks()),
        "recipes": recipe,
        "training": training,
        "analysis": {"smoothing_epochs": smoothing, **draw(some(resamples=st.integers(100, 500)))},
        "ensemble": {"seeds": draw(st.integers(3, 6)), "min_members": draw(st.integers(1, 3))},
        "studies": studies,
        "figures": draw(_figures(studies)),
    }
    return config | draw(
        some(
            data_dir=st.none() | st.just("some data"),
            device=st.sampled_from(["cpu", "gpu"]),
            jobs_per_gpu=st.integers(1, 4),
            checkpoint_seconds=st.floats(0, 1e4),
            keep_runs=st.booleans(),
            split_seed=SEEDS,
            optimizer=some(b1=st.floats(0, 0.99), b2=st.floats(0, 0.99), eps=st.floats(1e-12, 1e-3)),
            calibration=some(
                seeds=st.integers(1, 4),
                tolerance=st.floats(1.01, 3),
                share_inside=st.floats(0.1, 1),
                max_trials=st.integers(1, 20),
                first_rate=RATES,
            ),
        )
    )


@st.composite
def _figures(draw, studies):
    by_width = studies.get("model-scaling", ())
    trained = sorted({name for entry in by_width for name in entry["networks"]})
    network = draw(st.sampled_from(trained or SCALED))
    of_network = [entry for entry in by_width if network in entry["networks"]]
    shown = sorted({entry["dataset"] for entry in (*of_network, *studies.get("data-scaling", ()))})
    return {"model_scaling_network": network} | draw(some(dataset=st.sampled_from([None, *shown])))
