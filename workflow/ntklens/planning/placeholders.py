"""Values of the SLURM profile that a user has to replace: SLURM would refuse them, job by job."""

from collections.abc import Iterable, Mapping

PROFILE = "profiles/slurm/config.yaml"
PLACEHOLDERS = ("my-account", "my-cpu-partition", "my-gpu-partition")


def placeholder_message(requests: Iterable[Mapping[str, object]]) -> str | None:
    """One sentence about the first placeholder in ``requests``, resources by name; None if there is none."""
    for resources in requests:
        for name, value in resources.items():
            # Snakemake keeps what was written of a value that it computes for each job.
            found = str(getattr(value, "raw", value)).strip("'\"")
            if found in PLACEHOLDERS:
                message = f"{name} is still {found}: edit the places marked EDIT in {PROFILE}"
                without = "; on a cluster without accounting, delete this line"
                return message + (without if name == "slurm_account" else "")
    return None
