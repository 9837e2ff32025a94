"""profiles/slurm as it comes along submits nothing: a user has to edit it first."""

from tests.support.repositories import Repository

EDITS = {"my-account": "physics", "my-cpu-partition": "cpu", "my-gpu-partition": "gpu"}


def test_unedited_profile_stops_with_one_sentence_and_an_edited_one_is_taken(repository: Repository) -> None:
    path = repository / "profiles/slurm/config.yaml"
    arguments = ("-n", "--workflow-profile", "profiles/slurm")
    refused = repository.snakemake(*arguments)
    assert refused.returncode != 0
    output = refused.stdout + refused.stderr
    assert "slurm_account is still my-account: edit the places marked EDIT in profiles/slurm" in output
    assert "Traceback" not in output
    text = path.read_text(encoding="utf-8")
    for placeholder, value in EDITS.items():
        text = text.replace(placeholder, value)
    path.write_text(text, encoding="utf-8")
    taken = repository.snakemake(*arguments)
    assert taken.returncode == 0, taken.stdout + taken.stderr
    assert "slurm_account=physics" in taken.stdout + taken.stderr
    assert "slurm_partition=gpu" in taken.stdout + taken.stderr
