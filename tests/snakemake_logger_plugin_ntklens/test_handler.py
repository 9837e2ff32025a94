"""When the view is there, and when the screen is Snakemake's."""

import sys

import pytest
from snakemake.exceptions import CliException
from snakemake.settings.enums import Quietness
from snakemake.settings.types import OutputSettings
from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry
from snakemake_logger_plugin_ntklens import LogHandler, LogHandlerSettings

from tests.support.progress_records import began, plan, run, started


def handler(view="auto", **output):
    return LogHandler(OutputSettings(**output), LogHandlerSettings(view=view))


@pytest.fixture(autouse=True)
def command_line(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["snakemake"])


def test_snakemake_finds_the_plugin():
    plugin = LoggerPluginRegistry().get_plugin("ntklens")
    assert plugin.log_handler is LogHandler
    assert plugin.get_envvar("view") == "SNAKEMAKE_LOGGER_NTKLENS_VIEW"


@pytest.mark.parametrize("view", ["auto", "plain"])
def test_view_takes_the_screen(view):
    assert handler(view).writes_to_stream


@pytest.mark.parametrize(
    "output",
    [
        {"dryrun": True},
        {"printshellcmds": True},
        {"verbose": True},
        {"debug_dag": True},
        {"quiet": {Quietness.PROGRESS}},
        {"quiet": {Quietness.ALL}},
    ],
)
def test_screen_is_snakemakes_where_its_details_are_asked_for(output):
    assert not handler(**output).writes_to_stream


def test_way_back_to_snakemakes_text():
    assert not handler("snakemake").writes_to_stream


def test_handler_without_a_view_writes_nothing(capsys):
    silent = handler("snakemake")
    silent.announce(run())
    silent.expect(plan())
    silent.emit(began())
    silent.close()
    assert capsys.readouterr() == ("", "")


def test_records_are_shown_until_the_end(capsys):
    shown = handler("plain")
    shown.announce(run())
    shown.emit(began())
    shown.expect(plan())
    shown.close()
    shown.emit(started(1))
    shown.close()
    assert capsys.readouterr().err.count("The run ended early") == 1


def test_error_while_showing_does_not_end_snakemakes_thread(capsys):
    shown = handler("plain")
    shown.expect(plan())
    record = started(1)
    del record.wildcards
    shown.emit(record)
    assert "KeyError: 'wildcards'" in capsys.readouterr().err
    shown.close()


def test_target_among_config_files_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["snakemake", "--configfile", "a.yaml", "figure_2"])
    with pytest.raises(CliException, match=r"snakemake figure_2 --configfile a\.yaml"):
        handler("snakemake", dryrun=True)
