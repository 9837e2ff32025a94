"""The rules of the Snakefile for a config, parsed in this process."""

import os
from pathlib import Path
from typing import NamedTuple

import yaml
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, OutputSettings, Quietness, ResourceSettings

from tests.support.repositories import ROOT


class Product(NamedTuple):
    """A file that a rule makes: an output, a log or a benchmark. ``matches`` is Snakemake's own test."""

    rule: str
    pattern: str
    kind: str
    matches: object


def products(config, folder):
    """Every `Product` of the rules for ``config``, which is written to ``folder``."""
    path = Path(folder) / "config.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    here = Path.cwd()
    try:
        with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
            rules = api.workflow(
                resource_settings=ResourceSettings(cores=1),
                config_settings=ConfigSettings(configfiles=[path]),
                snakefile=ROOT / "Snakefile",
                workdir=Path(folder),
            )._workflow.rules
            return [product for rule in rules for product in _of(rule)]
    finally:
        os.chdir(here)


def _of(rule):
    kinds = {"output": rule.output, "log": rule.log, "benchmark": [rule.benchmark] if rule.benchmark else []}
    for kind, files in kinds.items():
        for file in files:
            yield Product(rule.name, str(file), kind, file.match)
