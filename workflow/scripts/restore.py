"""Take averages and closed forms from archives of results, checked."""

import argparse
import sys
from collections.abc import Sequence

from ntklens.machine.rule_script import run_script
from ntklens.planning.archive_settings import Restored, RestoringSettings, holder_of
from ntklens.storage.archives import Manifest, extract, read_manifest
from ntklens.storage.errors import FileError, OtherFileError
from ntklens.storage.files import sha256
from ntklens.storage.identity import check_identity
from ntklens.storage.records import origin_of
from ntklens.storage.sealing import write_sealed_json
from ntklens.storage.settings_reader import reader_of


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--archives", required=True, nargs="+", help="files that the rule archive made")
    parser.add_argument("--settings", required=True, type=reader_of(RestoringSettings))
    parser.add_argument("--out", required=True, nargs="+", help="the files of the settings, in their order")
    parser.add_argument(
        "--record", required=True, help="JSON file that lists them by archive, for `ntklens trace`"
    )
    args = parser.parse_args(argv)
    try:
        manifests = [read_manifest(path) for path in args.archives]
        restored = [
            (restore(manifests, file, path), path)
            for file, path in zip(args.settings.files, args.out, strict=True)
        ]
    except FileError as error:
        sys.exit(f"restore: {error}")
    archives = {
        str(own.path): {
            "sha256": sha256(own.path),
            "files": {path: sha256(path) for manifest, path in restored if manifest is own},
        }
        for own in manifests
    }
    write_sealed_json(args.record, {"archives": archives})


def restore(manifests: Sequence[Manifest], file: Restored, path: str) -> Manifest:
    """Write ``file`` to ``path``, as the config asks for it. Returns the archive that it comes from."""
    manifest = holder_of(file, manifests)
    if manifest is None:
        names = ", ".join(str(own.path) for own in manifests)
        raise OtherFileError(f"no {file.name} as the config asks for it is in {names}")
    extract(manifest, file.name, path)
    check_identity(path, origin_of(path), file.kind, file.made_with)
    return manifest


if __name__ == "__main__":
    run_script(main)
