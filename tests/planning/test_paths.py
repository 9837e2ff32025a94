import pytest
from ntklens.planning import paths

CURVE = {"study": "data-scaling", "dataset": "digits", "network": "four-layer"}
BATCH = {**CURVE, "point": "size-40", "first": 0, "last": 4}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (paths.dataset(), "results/datasets/digits.h5"),
        (paths.subset("small"), "results/small/subsets/digits.h5"),
        (
            paths.learning_rates("small"),
            "results/small/learning-rates/data-scaling/digits/four-layer.json",
        ),
        (paths.run("small"), "results/small/runs/data-scaling/digits/four-layer/size-40/seeds-0-4.h5"),
        (paths.averages("small"), "results/small/averages/data-scaling/digits/four-layer.h5"),
        (
            paths.fit("small", "power-laws"),
            "results/small/fits/data-scaling/digits/four-layer/power-laws.json",
        ),
        (paths.figure("small", "2"), "results/small/figures/figure-2"),
        (
            paths.neural_tangents("small"),
            "results/small/verification/data-scaling/digits/four-layer/size-40/seeds-0-4.h5",
        ),
        (paths.table("small", "verification"), "results/small/tables/verification"),
        (paths.code("small", "train", "{dataset}"), "results/small/code/train/digits.json"),
        (paths.log("small", "train", "{dataset}"), "results/small/logs/train/digits.log"),
        (paths.benchmark("small", "train", "{dataset}"), "results/small/benchmarks/train/digits.tsv"),
    ],
)
def test_pattern_filled_in_gives_the_file_name(pattern, expected):
    assert pattern.format(**BATCH) == expected
