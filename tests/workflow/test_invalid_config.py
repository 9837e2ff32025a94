"""An invalid config stops Snakemake at once, with one line that names the key and the reason."""

import pytest
import yaml

CASES = {
    "unknown key": (lambda c: c.update(ensembel={}), ["ensembel", "allowed are", "ensemble"]),
    "nested unknown key": (lambda c: c["training"].update(epochs=3), ["'training'", "epochs", "max_epochs"]),
    "wrong type": (lambda c: c["ensemble"].update(seeds="five"), ["ensemble.seeds", "integer"]),
    "width of 0": (
        lambda c: c["studies"]["model-scaling"][0].update(widths=[0, 8]),
        ["studies.model-scaling[0].widths[0]", "at least 1"],
    ),
    "unknown dataset": (
        lambda c: c["studies"]["data-scaling"][0].update(dataset="imagenet"),
        ["studies.data-scaling[0].dataset", "imagenet", "mnist-5k, mnist-5k-4, digits"],
    ),
    "empty list": (
        lambda c: c["studies"]["data-scaling"][0].update(sizes=[]),
        ["studies.data-scaling[0].sizes", "at least 1 item"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_invalid_config_stops_with_key_and_rule(repository, case):
    change, expected = CASES[case]
    path = repository / "config/smoke.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(config)
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    result = repository.snakemake("-n")
    output = result.stdout + result.stderr
    assert result.returncode != 0
    assert "Traceback" not in output
    for text in expected:
        assert text in output


def test_config_that_replaces_the_profile_s_does_not_train_on_the_cpu(repository):
    """Snakemake's --config replaces the profile's config, and with it device=gpu."""
    arguments = ("-n", "--workflow-profile", "profiles/gpu", "--config")
    result = repository.snakemake(*arguments, "checkpoint_seconds=5")
    assert result.returncode != 0
    assert "repeat device=gpu" in result.stdout + result.stderr
    assert repository.snakemake(*arguments, "checkpoint_seconds=5", "device=gpu").returncode == 0
