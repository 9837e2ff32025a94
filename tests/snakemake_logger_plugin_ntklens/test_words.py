import pytest
from snakemake_logger_plugin_ntklens.words import about, count, duration, title_of

CURVE = {"study": "model-scaling", "dataset": "mnist-5k", "network": "three-layer"}


@pytest.mark.parametrize(
    ("rule", "wildcards", "title"),
    [
        ("figure_2", {}, "figure 2"),
        ("subsample", {"dataset": "digits"}, "subsample digits"),
        ("power_laws", CURVE, "power laws model-scaling mnist-5k three-layer"),
        (
            "train",
            {**CURVE, "point": "width-64", "first": "0", "last": "4"},
            "train model-scaling mnist-5k three-layer width-64, seeds 0 to 4",
        ),
        (
            "train",
            {**CURVE, "point": "width-8", "first": "2", "last": "2"},
            "train model-scaling mnist-5k three-layer width-8, seed 2",
        ),
    ],
)
def test_jobs_in_words(rule, wildcards, title):
    assert title_of(rule, wildcards) == title


@pytest.mark.parametrize(
    ("seconds", "said", "estimated"),
    [
        (-1, "0 s", "a few seconds"),
        (9.4, "9 s", "a few seconds"),
        (59.4, "59 s", "about 60 s"),
        (60, "1 min", "about 60 s"),
        (200, "3 min 20 s", "about 3 min"),
        (3599.6, "1 h", "about 60 min"),
        (7500, "2 h 5 min", "about 2.1 h"),
        (86_400, "24 h", "about 24 h"),
    ],
)
def test_times_in_words(seconds, said, estimated):
    assert duration(seconds) == said
    assert about(seconds) == estimated


def test_one_thing_and_more():
    assert (count(1, "job"), count(2, "job"), count(0, "job")) == ("1 job", "2 jobs", "0 jobs")
