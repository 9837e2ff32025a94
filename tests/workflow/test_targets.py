"""A name that the config does not make is no target, runs no command, and trains nothing."""

import numpy as np
import pytest
import yaml

RUNS = "results/smoke/runs/model-scaling/digits/three-layer"
TARGETS = [
    f"{RUNS}/x-8/seeds-0-1.h5",  # no point
    f"{RUNS}/width-9/seeds-0-1.h5",  # a width that the study does not have
    f"{RUNS}/size-60/seeds-0-2.h5",  # a point of another curve
    f"{RUNS}/width-8/seeds-7-3.h5",  # no seeds
    f"{RUNS}/width-8/seeds-0-2.h5",  # a batch of another study
    f"{RUNS}/width-8/seeds-00-1.h5",
    f"{RUNS}/width-08/seeds-0-1.h5",
    f"{RUNS}/width-8/seeds-0-1.h5\n",
    "results/smoke/runs/model-scaling/digits/four-layer/width-8/seeds-0-1.h5",  # a network of another study
    "results/smoke/subsets/mnist.h5",  # a dataset of another config
    "results/datasets/mnist-5k.h5",
    "results/smoke/learning-rates/noise-scaling/digits/dense.json",  # a curve whose rate is given
    "results/smoke/fits/noise-scaling/digits/dense/adaptation-rate.json",  # of a fixed number of epochs
    "results/smoke/fits/data-scaling/digits/four-layer/infinite-width.json",  # not along the width
    "results/smoke/logs/train/model-scaling-digits-three-layer-width-8-seeds-0-1.log",
    "results/paper/subsets/digits.h5",  # a folder of another config
]


@pytest.mark.parametrize("target", TARGETS)
def test_name_that_the_config_does_not_make_is_no_target(repository, target):
    result = repository.snakemake("-n", "--", target)
    assert result.returncode != 0
    assert f"No rule to produce {target.strip()}" in result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr


def test_single_run_file_is_a_target(repository):
    jobs = repository.jobs("--", f"{RUNS}/width-8/seeds-2-2.h5")
    assert jobs == {"fetch": 1, "subsample": 1, "calibrate": 1, "train": 1}


@pytest.mark.parametrize("folder", ["- my data", "it's", 'a "quoted" one', "$(touch ran)", "a;b&c", "ü*?"])
def test_own_file_may_lie_in_a_folder_of_any_name(repository, folder):
    path = repository / folder / "own.npz"
    path.parent.mkdir()
    images = np.random.default_rng(0).integers(0, 255, (300, 8, 8), dtype=np.uint8)
    np.savez(path, images=images, labels=np.arange(300) % 10)
    own = yaml.safe_load((repository / "config/smoke.yaml").read_text(encoding="utf-8"))
    own["studies"]["data-scaling"] = [{**own["studies"]["data-scaling"][0], "dataset": f"{folder}/own.npz"}]
    own["studies"]["data-scaling"][0] |= {"sizes": [30, 60], "calibrate_at": [30, 60]}
    text = yaml.safe_dump(own, allow_unicode=True)
    (repository / "config/smoke.yaml").write_text(text, encoding="utf-8")
    result = repository.snakemake("--cores", "1", "--", "results/smoke/subsets/own.h5")
    assert result.returncode == 0, result.stdout + result.stderr
    assert (repository / "results/smoke/subsets/own.h5").exists()
    assert not (repository / "ran").exists()
