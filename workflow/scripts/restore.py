"""Take averages and closed forms from an archive of results, checked."""

import argparse
import sys
from collections.abc import Sequence

from ntklens.machine.rule_script import run_script
from ntklens.planning.archive_settings import Restored, RestoringSettings
from ntklens.storage.archives import Manifest, extract, read_manifest
from ntklens.storage.errors import FileError
from ntklens.storage.files import sha256
from ntklens.storage.identity import check_identity
from ntklens.storage.records import origin_of
from ntklens.storage.sealing import write_sealed_json
from ntklens.storage.settings_reader import reader_of


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--archive", required=True, help="a file that the rule archive made")
    parser.add_argument("--settings", required=True, type=reader_of(RestoringSettings))
    parser.add_argument("--out", required=True, nargs="+", help="the files of the settings, in their order")
    parser.add_argument("--record", required=True, help="JSON file that lists them, for `ntklens trace`")
    args = parser.parse_args(argv)
    try:
        manifest = read_manifest(args.archive)
        for file, path in zip(args.settings.files, args.out, strict=True):
            restore(manifest, file, path)
    except FileError as error:
        sys.exit(f"restore: {error}")
    digests = {path: sha256(path) for path in args.out}
    write_sealed_json(
        args.record, {"archive": args.archive, "sha256": sha256(args.archive), "files": digests}
    )


def restore(manifest: Manifest, file: Restored, path: str) -> None:
    """Write ``file`` of an archive to ``path``, once it is known to be what the config asks for."""
    extract(manifest, file.name, path)
    check_identity(path, origin_of(path), file.kind, file.made_with)


if __name__ == "__main__":
    run_script(main)
