"""profiles/slurm as it comes along submits nothing: a user has to edit it first."""

from tests.support.repositories import Repository

EDITS = {"my-account": "physics", "my-cpu-partition": "cpu", "my-gpu-partition": "gpu"}


def test_unedited_profile_stops_with_one_sentence_until_all_places_are_edited(repository: Repository) -> None:
    path = repository / "profiles/slurm/config.yaml"
    text = path.read_text(encoding="utf-8")
    arguments = ("-n", "--workflow-profile", "profiles/slurm")
    for placeholder, value in EDITS.items():
        result = repository.snakemake(*arguments)
        assert result.returncode != 0
        output = result.stdout + result.stderr
        assert f" is still {placeholder}: edit the places marked EDIT in profiles/slurm/config.yaml" in output
        assert "Traceback" not in output
        text = text.replace(placeholder, value)
        path.write_text(text, encoding="utf-8")
    result = repository.snakemake(*arguments)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "slurm_account=physics" in result.stdout + result.stderr
    assert "slurm_partition=gpu" in result.stdout + result.stderr
