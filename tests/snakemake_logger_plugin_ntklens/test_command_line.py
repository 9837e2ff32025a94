import pytest
from snakemake_logger_plugin_ntklens.command_line import target_among_config_files


@pytest.mark.parametrize(
    ("command", "instead"),
    [
        ("--configfile config/smoke.yaml figure_2", "snakemake figure_2 --configfile config/smoke.yaml"),
        ("-n --configfile a.yaml b.yml fetch all -q", "snakemake fetch all --configfile a.yaml b.yml"),
        (
            "--configfiles a.json results/x/figures/figure-2.json",
            "snakemake results/x/figures/figure-2.json --configfiles a.json",
        ),
    ],
)
def test_target_after_config_files_is_told_where_to_go(command, instead):
    assert f"`{instead}`" in str(target_among_config_files(command.split()))


@pytest.mark.parametrize(
    "command",
    [
        "",
        "figure_2",
        "figure_2 --configfile config/smoke.yaml",
        "--configfile config/smoke.yaml -- figure_2",
        "--configfile config/smoke.yaml --cores 2 figure_2",
        "--configfile a.yaml missing.yaml",
        "--configfile settings",
        "-n -- --configfile a.yaml figure_2",
    ],
)
def test_other_command_lines_pass(command):
    assert target_among_config_files(command.split()) is None


def test_config_file_may_have_any_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "settings").touch()
    assert target_among_config_files(["--configfile", "a.yaml", "settings"]) is None
