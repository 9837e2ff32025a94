"""Work that fits into no machine or no workflow is refused before anything runs."""

import pytest
import yaml
from ntklens.planning.config import ConfigError, load
from ntklens.planning.feasibility import check_feasible

from tests.support.repositories import ROOT
from tests.support.small_config import WIDTHS, changed, small

OWN = {"axis": "width", "dataset": "digits", "networks": ["three-layer"], "scales": [8], "learning_rate": 0.1}
CONFIGS = sorted(set((ROOT / "config").glob("*.yaml")) - {ROOT / "config/claims.yaml"})
CONVOLUTIONAL = {"hidden_layers": 1, "width": 3, "convolutions": 1, "kernel_size": 10**9}
NOISE = {"dataset": "digits", "train_samples": 100, "removed_percent": [0], "ntk_samples": 50}


def own(**changes):
    return changed(("studies", "own"), [{**OWN, **changes}])


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_shipped_config_is_feasible(path):
    check_feasible(load(yaml.safe_load(path.read_text(encoding="utf-8"))))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            own(scales=[8, 10**9]),
            "trains three-layer at width-1000000000 (1 seed) takes",
        ),
        (own(image_size=10**9), "trains three-layer at width-8 (5 seeds) takes"),
        (
            changed((*WIDTHS, "calibrate_at"), [16, 10**9]),
            "calibration of three-layer takes",
        ),
        (
            {
                **small(),
                "networks": {"wide": CONVOLUTIONAL},
                "studies": {"noise-scaling": [{**NOISE, "networks": ["wide"]}]},
            },
            "TB of memory, more than any machine",
        ),
        (own(seeds=100_000, seeds_per_job=1, scales=[8, 9]), "the config has 200006, more than 100000; take"),
        (
            own(seeds=101, seeds_per_job=1, scales=list(range(1, 1_001))),
            "more than 100000; take fewer scales or seeds, or more seeds_per_job",
        ),
    ],
)
def test_work_that_no_machine_can_do_is_refused_and_the_study_named(config, message):
    with pytest.raises(ConfigError) as caught:
        check_feasible(load(config))
    assert message in str(caught.value)
    assert str(caught.value).startswith("config key 'studies.")


def test_a_file_that_cannot_be_read_is_left_to_its_reader():
    check_feasible(load(own(dataset="missing.npz")))
