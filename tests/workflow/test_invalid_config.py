"""An invalid config stops Snakemake at once, with one line that names the key and the reason."""

import json

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


def test_key_that_is_given_twice_is_named_with_file_and_line(repository):
    path = repository / "config/smoke.yaml"
    text = path.read_text(encoding="utf-8").replace("  seeds: 3\n", "  seeds: 3\n  seeds: 4\n")
    path.write_text(text, encoding="utf-8")
    result = repository.snakemake("-n")
    assert result.returncode != 0
    expected = "config file 'config/smoke.yaml', line 10: the key 'seeds' is given twice, first in line 9"
    assert expected in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name: a\nname: b\n", "line 2: the key 'name' is given twice"),
        (b"# R\xe9gle\n", "line 1: is not encoded in UTF-8"),
        (b"a:\n\tb: 1\n", "line 2: while scanning for the next token"),
        (b"", "is empty: a config needs at least a name and studies"),
        (b"- a\n", "line 1: must be a mapping of keys to values"),
        (b"a: &a {b: *a}\n", "line 1: its aliases repeat each other, or hold themselves"),
        (b"__use_yte__: true\n", "line 1: the key __use_yte__ would run code"),
    ],
)
def test_default_config_is_read_before_snakemake_reads_it(repository, content, message):
    (repository / "config/config.yaml").write_bytes(content)
    result = repository.run("snakemake", "-n")
    assert result.returncode != 0
    assert "config file 'config/config.yaml'" in result.stdout + result.stderr
    assert message in result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr


def test_several_config_files_and_the_command_line_are_merged(repository):
    (repository / "more.yaml").write_text("ensemble: {seeds: 4}\n", encoding="utf-8")
    seeds = "results/smoke/runs/data-scaling/digits/four-layer/size-60/seeds-0-{}.h5"
    arguments = ("-n", "--configfile", "config/smoke.yaml", "more.yaml")
    result = repository.run("snakemake", *arguments, "--", seeds.format(3))
    assert result.returncode == 0, result.stdout + result.stderr
    result = repository.run("snakemake", *arguments, "--config", "ensemble={seeds: 5}", "--", seeds.format(4))
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_json_config_asks_for_the_same_jobs(repository):
    config = yaml.safe_load((repository / "config/smoke.yaml").read_text(encoding="utf-8"))
    (repository / "smoke.json").write_text(json.dumps(config, indent="\t"), encoding="utf-8")
    assert repository.jobs(config="smoke.json") == repository.jobs()
