"""Files of the workflow from before they had labels for other programs, kept beside the tests."""

import gzip
from pathlib import Path

TESTS = Path(__file__).parents[1]


def file_from_before(name: str, folder: Path) -> Path:
    """The file ``name``, such as storage/run.h5, unpacked into ``folder``."""
    room, _, own = name.partition("/")
    path = folder / own
    path.write_bytes(gzip.decompress((TESTS / room / "before_labels" / f"{own}.gz").read_bytes()))
    return path
