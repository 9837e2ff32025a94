"""Which rules a change of code or config reruns, and which not."""

import json
import os
import re

import numpy as np
import pytest
import yaml
from ntklens.storage.import_closure import import_closure

from tests.support.repositories import ROOT

ANALYSIS = {"aggregate", "adaptation_rate", "power_laws", "transition", "ends", "comparison", "gallery"}
ALONG_TRAINING = {"figure_1", "figure_5", "figure_6", "figure_8", "figure_10"}
LAWS = {"figure_2", "figure_3", "figure_9"}
CLOSED_FORMS = {"infinite_width", "power_laws", "transition", *LAWS, "gallery"}
# What uses the adaptation rate, or its smoothing.
RATES = {"adaptation_rate", "power_laws", "transition", "ends", "comparison", "gallery"}
AFTER_SCALING = ANALYSIS | ALONG_TRAINING | LAWS
NOISE_FIGURES = {"figure_4", "figure_7"}
AFTER_NOISE = {"aggregate", "comparison", "gallery"} | NOISE_FIGURES
FIGURES = ALONG_TRAINING | LAWS | NOISE_FIGURES
WIDTH_RUNS, SIZE_RUNS, NOISE_RUNS = 6, 3, 4  # run files of the smoke config
SCALING_RUNS = WIDTH_RUNS + SIZE_RUNS


def change_config(repository, change):
    path = repository / "config/smoke.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(config)
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def model_scaling(config):
    return config["studies"]["model-scaling"][0]


def requests(repository, rule, *arguments):
    """The resources of every job of ``rule`` in a dry run: name to text."""
    result = repository.snakemake("-n", *arguments)
    assert result.returncode == 0, result.stdout + result.stderr
    found = re.findall(rf"rule {rule}:\n(?:    .*\n)*?    resources: (.*)\n", result.stdout + result.stderr)
    return [dict(item.split("=", 1) for item in line.split(", ")) for line in found]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("ntklens/figures/dynamics.py", {"figure_1", "gallery"}),
        ("ntklens/figures/epochs.py", {*NOISE_FIGURES, "gallery"}),
        ("ntklens/figures/style.py", {*FIGURES, "gallery"}),
        ("ntklens/gallery/spectra.py", {"gallery"}),
        ("ntklens/gallery/page/style.css", {"gallery"}),
        (
            "ntklens/analysis/adaptation_rate.py",
            {*RATES, "figure_1", "figure_5", "figure_10", *LAWS},
        ),
        ("ntklens/analysis/laws.py", {"power_laws", "transition", "comparison", *LAWS, "gallery"}),
        ("ntklens/analysis/claims.py", {"comparison", "gallery"}),
        ("ntklens/analysis/ends.py", {"ends", "figure_9", "figure_10", "gallery"}),
        ("ntklens/kernel/infinite_width.py", CLOSED_FORMS),
        ("ntklens/kernel/ntk.py", {"train", *AFTER_SCALING, *AFTER_NOISE}),
        ("ntklens/spectrum/lapack.py", {"train", "infinite_width", *AFTER_SCALING, *AFTER_NOISE}),
        ("ntklens/training/full_batch.py", {"calibrate", "train", *AFTER_SCALING}),
        ("ntklens/training/mini_batch.py", {"train", *AFTER_NOISE}),
        ("ntklens/data/noisy_copies.py", {"train", *AFTER_NOISE}),
        ("ntklens/data/image_sizes.py", set()),
        ("ntklens/data/download.py", set()),
        ("scripts/transition.py", {"transition", "figure_3", "figure_9", "gallery"}),
        ("ntklens/studies/catalogue.py", set()),
        ("ntklens/studies/axes/width.py", set()),
        ("ntklens/planning/config/top.py", set()),
        ("ntklens/costs/prices.py", set()),
        ("ntklens/storage/inspection.py", set()),
    ],
)
def test_edited_code_reruns_what_imports_it(edited, file, expected):
    path = edited / "workflow" / file
    path.write_text(path.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
    assert set(edited.jobs()) == expected


@pytest.mark.parametrize(
    ("file", "runs"),
    [
        ("ntklens/training/full_batch.py", SCALING_RUNS),
        ("ntklens/training/mini_batch.py", NOISE_RUNS),
        ("ntklens/data/noisy_copies.py", NOISE_RUNS),
    ],
)
def test_edited_recipe_or_data_trains_what_uses_it_alone(edited, file, runs):
    path = edited / "workflow" / file
    path.write_text(path.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
    assert edited.jobs()["train"] == runs


@pytest.mark.parametrize(
    ("script", "modules", "without"),
    [
        (
            "figure.py",
            ["ntklens.figures.transition"],
            ["data/loaders.py", "data/download.py", "kernel/ntk.py"],
        ),
        ("power_laws.py", [], ["spectrum/lapack.py", "spectrum/eigenvalues.py", "kernel/infinite_width.py"]),
        ("transition.py", [], ["spectrum/lapack.py", "spectrum/eigenvalues.py"]),
        ("aggregate.py", [], ["spectrum/lapack.py", "training/full_batch.py"]),
        ("train.py", ["ntklens.training.full_batch"], ["training/calibration.py", "data/loaders.py"]),
        ("calibrate.py", ["ntklens.training.full_batch"], ["kernel/ntk.py", "spectrum/lapack.py"]),
    ],
)
def test_no_rule_depends_on_what_its_result_does_not(script, modules, without):
    """A script does not import modules that its result does not depend on."""
    closure = import_closure(ROOT / "workflow/scripts" / script, *modules)
    package = ROOT / "workflow/ntklens"
    assert (package / "storage/files.py") in closure
    assert not {package / name for name in without} & set(closure)


def test_touched_code_reruns_nothing(edited):
    for path in (edited / "workflow").rglob("*.py"):
        os.utime(path)
    assert edited.jobs() == {}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda config: config["analysis"].update(smoothing_epochs=8),
            {*RATES, "figure_1", "figure_5", "figure_10", *LAWS},
        ),
        (
            lambda config: config["studies"]["noise-scaling"][0].update(sigma=0.02),
            {"train", *AFTER_NOISE},
        ),
        (
            lambda config: config["studies"]["noise-scaling"][0].update(ntk_samples=4),
            {"train", *AFTER_NOISE},
        ),
        (lambda config: config["ensemble"].update(min_members=3), AFTER_SCALING),
        (lambda config: config["training"].update(save_parameters=2), {"train", *AFTER_SCALING}),
        (lambda config: config["calibration"].update(seeds=3), {"calibrate", "train", *AFTER_SCALING}),
        (lambda config: config.update(ntk_samples=8), {"train", "infinite_width", *AFTER_SCALING}),
        (
            lambda config: config.update(split_seed=1),
            {"subsample", "calibrate", "train", "infinite_width", *AFTER_SCALING, *AFTER_NOISE},
        ),
    ],
)
def test_changed_key_reruns_what_depends_on_it(edited, change, expected):
    change_config(edited, change)
    assert set(edited.jobs()) == expected


def test_other_device_reruns_nothing(edited):
    assert edited.jobs("--config", "device=gpu", "jobs_per_gpu=2", "checkpoint_seconds=5") == {}


def test_other_batches_of_seeds_train_that_study_alone(edited):
    change_config(edited, lambda config: model_scaling(config).update(seeds_per_job=3))
    jobs = edited.jobs()
    assert jobs["train"] == 3
    assert "calibrate" not in jobs


@pytest.mark.parametrize(("device", "gpus"), [("cpu", "0"), ("gpu", "1")])
@pytest.mark.parametrize(("rule", "count"), [("calibrate", 2), ("train", SCALING_RUNS + NOISE_RUNS)])
def test_training_jobs_ask_for_a_device_memory_and_time(repository, device, gpus, rule, count):
    first = requests(repository, rule, "--config", f"device={device}")
    second = requests(repository, rule, "--config", f"device={device}", "--attempt", "2")
    assert [asked["gpu"] for asked in first] == [gpus] * count
    for key in ("mem_mb", "runtime"):
        # Snakemake lists jobs in no fixed order.
        assert sorted(int(asked[key]) for asked in second) == sorted(2 * int(asked[key]) for asked in first)


def test_other_data_folder_reruns_nothing(edited):
    """A dataset is checked by its bytes, so the folder that it came from makes no difference."""
    change_config(edited, lambda config: config.update(data_dir="elsewhere"))
    assert edited.jobs() == {}


def test_added_width_trains_that_width_alone(edited):
    change_config(edited, lambda config: model_scaling(config)["widths"].append(64))
    jobs = edited.jobs()
    assert jobs["train"] == 2
    assert "calibrate" not in jobs


def test_added_seeds_train_a_new_batch_alone(edited):
    change_config(edited, lambda config: config["ensemble"].update(seeds=5))
    jobs = edited.jobs()
    # Seeds 2–3 (the partial batch 2 grows) and 4 at three widths; all seeds, as one batch, at three sizes.
    assert jobs["train"] == 2 * 3 + 3
    assert "calibrate" not in jobs


def test_given_learning_rate_replaces_the_calibration(repository):
    before = repository.jobs()
    change_config(repository, lambda config: model_scaling(config).update(learning_rate=0.01))
    assert repository.jobs() == {**before, "calibrate": before["calibrate"] - 1}


def test_config_file_stands_for_itself(repository):
    """A config file is not merged with the default config, which has more datasets, widths and seeds."""
    assert repository.jobs()["fetch"] == 1


def test_default_config_is_the_laptop(repository):
    result = repository.run("snakemake", "-n")
    assert result.returncode == 0, result.stderr
    assert "results/laptop/figures/figure-1.pdf" in result.stdout + result.stderr


def test_study_that_is_absent_is_not_run(repository):
    change_config(repository, lambda config: config["studies"].pop("model-scaling"))
    jobs = repository.jobs()
    assert jobs["train"] == SIZE_RUNS + NOISE_RUNS
    assert "figure_3" not in jobs


def test_noise_scaling_alone_draws_its_figures_alone(repository):
    def noise_alone(config):
        config["studies"] = {"noise-scaling": config["studies"]["noise-scaling"]}

    change_config(repository, noise_alone)
    assert repository.jobs() == {
        "fetch": 1,
        "subsample": 1,
        "train": 4,
        "aggregate": 2,
        "comparison": 1,
        "figure_4": 1,
        "figure_7": 1,
        "gallery": 1,
    }


def test_added_level_trains_that_level_alone(edited):
    change_config(edited, lambda config: config["studies"]["noise-scaling"][0]["removed_percent"].append(80))
    jobs = edited.jobs()
    assert jobs["train"] == 2


@pytest.mark.parametrize(
    "target",
    [
        "results/smoke/subsets/$(touch ran).h5",
        "results/datasets/`touch ran`.h5",
        "results/datasets/digits;touch ran;.h5",
        "results/smoke/fits/model-scaling/digits/three-layer>ran/transition.json",
        "results/smoke/runs/model-scaling/digits/three-layer/width-8 $(touch ran)/seeds-0-1.h5",
    ],
)
def test_commands_in_a_targets_name_are_not_run(repository, target):
    result = repository.snakemake("--cores", "1", target)
    assert "MissingRuleException" in result.stdout + result.stderr
    assert not (repository / "ran").exists()


def test_own_file_that_is_missing_is_named(repository):
    change_config(repository, lambda config: model_scaling(config).update(dataset="my-data/blobs.npz"))
    result = repository.snakemake("-n")
    output = result.stdout + result.stderr
    assert result.returncode != 0
    assert re.search(r"Missing input files for rule fetch:(?s:.)*my-data/blobs\.npz", output)
    assert "Traceback" not in output


@pytest.mark.slow
def test_own_file_works_as_a_dataset_by_its_path(repository):
    """The workflow runs from the file to the figures; a changed file reruns everything."""
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 3
    images = rng.integers(0, 100, (300, 5, 5), dtype=np.uint8)
    images[np.arange(300), labels, labels] += 150
    path = repository / "my-data" / "blobs.npz"
    path.parent.mkdir()
    np.savez(path, images=images, labels=labels)

    def blobs_alone(config):
        entry = {
            **config["studies"]["noise-scaling"][0],
            "dataset": "my-data/blobs.npz",
            "networks": ["dense"],
        }
        config["studies"] = {"noise-scaling": [{**entry, "removed_percent": [0]}]}

    change_config(repository, blobs_alone)
    result = repository.snakemake()
    assert result.returncode == 0, result.stdout + result.stderr
    content = json.loads((repository / "results/smoke/figures/figure-4.json").read_text(encoding="utf-8"))
    assert [panel["dataset"] for panel in content["panels"]] == ["blobs"]
    assert repository.jobs() == {}
    np.savez(path, images=images, labels=labels[::-1])
    assert repository.jobs()["fetch"] == 1
