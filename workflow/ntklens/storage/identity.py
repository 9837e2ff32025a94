"""What a file is: every file says so, and every reader checks that it got the file that it asked for.

The *origin* of a file is the record that `ntklens.storage.provenance` makes. A reader asks for a kind of
file, and for the digest of the settings that it must have been made with. The settings of a job include the
digests of the settings behind its inputs. So the digest of a fit changes with anything that determines the
fit, back to the dataset.
"""

from collections.abc import Mapping
from typing import Any, Literal

from ntklens.storage.errors import OtherFileError
from ntklens.storage.files import FilePath
from ntklens.storage.sealing import REMEDY

Kind = Literal[
    "dataset",
    "subset",
    "learning rates",
    "run",
    "averages",
    "infinite width",
    "adaptation rate",
    "power laws",
    "transition",
    "ends",
    "neural-tangents' kernels",
    "verification",
    "figure",
]
SCHEMA = 1  # of all files together: a file of another schema has to be made anew


def check_identity(path: FilePath, origin: Mapping[str, Any], kind: Kind, made_with: str | None) -> None:
    """Raise OtherFileError unless the file ``path`` with this ``origin`` is the one that a reader asked for.

    ``made_with`` is the digest of its settings; None takes any.
    """
    if origin.get("schema") != SCHEMA:
        raise OtherFileError(f"{path} was written by another version of ntk-lens: {REMEDY}")
    if origin["kind"] != kind:
        raise OtherFileError(
            f"{path} is not the file that belongs there, it holds '{described(origin)}' instead of a file "
            f"of the kind '{kind}': {REMEDY}"
        )
    if made_with not in (None, origin["settings_sha256"]):
        raise OtherFileError(
            f"{path} is not the file that belongs there, it holds '{described(origin)}', made with other "
            f"settings than those of the present config: {REMEDY}"
        )


def described(origin: Mapping[str, Any]) -> str:
    """What a file with this ``origin`` holds, in a few words."""
    settings = origin.get("settings", {})
    where = settings.get("dataset", "")
    if curve := settings.get("curve"):
        where = "/".join(curve.values())
    elif "figure" in settings:
        where = settings["figure"]
    scale = f" at scale {settings['scale']}" if "scale" in settings else ""
    seeds = f", seeds {origin['seeds'][0]} to {origin['seeds'][-1]}" if origin.get("seeds") else ""
    return origin["kind"] + (f" of {where}" if where else "") + scale + seeds
