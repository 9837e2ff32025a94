"""What an archive of a config's results holds, and what is taken from it instead of being made from runs."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from ntklens.data.registry import is_modified
from ntklens.planning import paths
from ntklens.planning.archive_settings import (
    ArchiveSettings,
    Restored,
    RestoringSettings,
    name_in_archive,
)
from ntklens.planning.config import Config, ConfigError, load
from ntklens.planning.config.files import check_text
from ntklens.planning.curves import curves
from ntklens.planning.settings import averaging_settings, infinite_width_settings
from ntklens.storage.archives import CONFIG, Manifest, read_file, read_manifest
from ntklens.storage.curve import Curve
from ntklens.storage.errors import FileError
from ntklens.storage.files import FilePath
from ntklens.storage.settings import settings_sha256

# Keys of this machine and this call, which change no result; but data_dir identifies modified data.
OF_THE_MACHINE = {"data_dir", "device", "jobs_per_gpu", "checkpoint_seconds", "keep_runs", "precomputed"}


def archive_settings(given: Mapping[str, Any]) -> ArchiveSettings:
    """The settings of the archive of a valid config, whose keys are ``given``."""
    modified = any(is_modified(curve.dataset) for curve in curves(load(given)))
    dropped = OF_THE_MACHINE - {"data_dir"} if modified else OF_THE_MACHINE
    kept = {key: value for key, value in given.items() if key not in dropped}
    return ArchiveSettings(given["name"], yaml.safe_dump(kept, sort_keys=False, allow_unicode=True))


def restoring_settings(config: Config) -> RestoringSettings:
    """The averages of every curve, and the closed forms of those that have some, for which it takes data."""
    return RestoringSettings(tuple(file for curve in curves(config) for file in _restored(config, curve)))


def _restored(config: Config, curve: Curve) -> Iterable[Restored]:
    averaging, closed = averaging_settings(config, curve), infinite_width_settings(config, curve)
    where = curve._asdict()
    path = paths.averages(config.name).format(**where)
    yield Restored(path, name_in_archive(path, config.name), "averages", settings_sha256(averaging))
    if closed is not None:
        path = paths.fit(config.name, "infinite-width").format(**where)
        yield Restored(path, name_in_archive(path, config.name), "infinite width", settings_sha256(closed))


def config_in(archive: FilePath) -> Any:
    """The config whose results the file ``archive`` holds. Raises ConfigError if it is no such archive."""
    try:
        text = read_file(read_manifest(archive), CONFIG).decode("utf-8")
    except FileError as error:
        raise ConfigError(f"precomputed: {error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"precomputed: {CONFIG} in {archive} is not encoded in UTF-8") from None
    check_text(Path(archive, CONFIG), text)
    return yaml.safe_load(text)


def check_archive(config: Config) -> None:
    """Raise ConfigError unless the archive that ``config`` names holds all that it needs."""
    if config.precomputed is None:
        return
    try:
        manifest = read_manifest(config.precomputed)
    except FileError as error:
        raise ConfigError(f"precomputed: {error}") from None
    for file in restoring_settings(config).files:
        _check(manifest, file)


def _check(manifest: Manifest, file: Restored) -> None:
    found = manifest.files.get(file.name)
    if found is None or (found.kind, found.made_with) != (file.kind, file.made_with):
        problem = f"holds no {file.name}" if found is None else f"holds {file.name}, made with other settings"
        raise ConfigError(
            f"precomputed: {manifest.path} is an archive of the config '{manifest.about.get('name')}'. It "
            f"{problem}. Leave out --configfile to use the config that the archive holds"
        )
