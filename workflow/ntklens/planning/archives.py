"""What an archive of a config's results holds, and what is taken from it instead of being made from runs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ntklens.data.registry import is_modified
from ntklens.planning import paths
from ntklens.planning.archive_settings import (
    ArchiveSettings,
    Restored,
    RestoringSettings,
    holder_of,
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
    # Snakemake reads a JSON config as OrderedDicts, which PyYAML does not write; a config is plain JSON.
    plain = json.loads(json.dumps(kept))
    return ArchiveSettings(given["name"], yaml.safe_dump(plain, sort_keys=False, allow_unicode=True))


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
    """Raise ConfigError unless the archives that ``config`` names hold all that it needs."""
    try:
        manifests = [read_manifest(path) for path in config.precomputed]
    except FileError as error:
        raise ConfigError(f"precomputed: {error}") from None
    if not manifests:
        return
    for file in restoring_settings(config).files:
        if holder_of(file, manifests) is None:
            raise ConfigError(f"precomputed: {_missing(file, manifests)}")


def _missing(file: Restored, manifests: Sequence[Manifest]) -> str:
    """That no archive holds ``file``, or not as the config asks for it, and what to do."""
    held = any(file.name in manifest.files for manifest in manifests)
    if len(manifests) > 1:
        names = ", ".join(str(manifest.path) for manifest in manifests)
        problem = f"holds {file.name} as this config makes it" if held else f"holds {file.name}"
        return f"none of {names} {problem}. Name a config of which they hold all curves, by --configfile"
    (manifest,) = manifests
    problem = f"holds {file.name}, made with other settings" if held else f"holds no {file.name}"
    return (
        f"{manifest.path} is an archive of the config '{manifest.about.get('name')}'. It {problem}. To use "
        f"the config that the archive holds, name the archive alone: --config precomputed={manifest.path}, "
        "without --configfile and without other keys than those of the analysis and the figures"
    )
