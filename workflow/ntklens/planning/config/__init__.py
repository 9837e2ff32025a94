"""The config: typed models that hold every key's type, default, unit and meaning, and the checks across keys.

`python -m ntklens.planning.config` writes the JSON schema and the tables of config/README.md from the models.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ntklens.planning.config.consistency import check_consistency
from ntklens.planning.config.messages import ConfigError, explain
from ntklens.planning.config.top import Config

__all__ = ["Config", "ConfigError", "load"]


def load(content: Any) -> Config:
    """The `Config` of a file whose ``content`` YAML has read.

    Raises ConfigError with one line that names the key.
    """
    try:
        config = Config.model_validate(dict(content) if isinstance(content, Mapping) else content)
    except ValidationError as error:
        message = explain(Config, content, error)
    else:
        check_consistency(config)
        return config
    raise ConfigError(message)
