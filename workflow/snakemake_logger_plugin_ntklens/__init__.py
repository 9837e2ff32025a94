"""Progress of a run for people, as a logger plugin of Snakemake: `logger: ntklens` in a profile.

On a terminal it keeps one live view up to date, elsewhere it writes one line per event. Snakemake finds the
package by its name, and imports it whenever it starts, in every job on a cluster too. So this module imports
nothing but the interface of logger plugins; the view is imported when there is one. Snakemake hands jobs on
a cluster no logger plugin, so these draw nothing. The package imports nothing of ntklens either: it is loaded
before the Snakefile says in which folder ntklens lies. The Snakefile hands over what there is to know, see
`plan` and workflow/rules/progress.smk.

Snakemake's own text is in .snakemake/log as ever. On the screen it is there with the setting
`--logger-ntklens-view snakemake`, and where people ask for its details: with -n, -p, -q, --verbose and
--debug-dag.
"""

import sys
from dataclasses import dataclass, field
from logging import LogRecord
from typing import TYPE_CHECKING

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase, OutputSettingsLoggerInterface

if TYPE_CHECKING:
    from snakemake_logger_plugin_ntklens.plan import Plan, Run
    from snakemake_logger_plugin_ntklens.view import View

AUTO, PLAIN, SNAKEMAKE = "auto", "plain", "snakemake"


@dataclass
class LogHandlerSettings(LogHandlerSettingsBase):
    """The plugin's options on the command line."""

    view: str = field(
        default=AUTO,
        metadata={
            "help": f"How a run shows its progress: {AUTO} (a live view on a terminal, otherwise one line "
            f"per event), {PLAIN} (one line per event), or {SNAKEMAKE} (Snakemake's own text).",
            "choices": [AUTO, PLAIN, SNAKEMAKE],
            "env_var": True,
        },
    )


class LogHandler(LogHandlerBase):
    """Hands Snakemake's records to a `View`, or leaves the screen to Snakemake."""

    _view: "View | None" = None

    def __post_init__(self) -> None:
        _refuse_targets_among_config_files()
        chosen = self.settings.view if isinstance(self.settings, LogHandlerSettings) else AUTO
        if chosen != SNAKEMAKE and not _wants_details(self.common_settings):
            from snakemake_logger_plugin_ntklens.view import view_on

            self._view = view_on(sys.stderr, plain=chosen == PLAIN, colour=not self.common_settings.nocolor)

    def announce(self, run: "Run") -> None:
        """Take note of what the Snakefile knows of the run, before its jobs are known."""
        if self._view:
            self._view.announce(run)

    def expect(self, plan: "Plan") -> None:
        """Take note of the jobs, before they start."""
        if self._view:
            self._view.expect(plan)

    def emit(self, record: LogRecord) -> None:
        """Show a record. Snakemake calls this in a thread of its own, which an exception would end."""
        if self._view:
            try:
                self._view.show(record)
            except Exception:
                self.handleError(record)

    def close(self) -> None:
        """Show how the run ended. Snakemake calls this once all records are shown."""
        view, self._view = self._view, None
        if view:
            view.close()
        super().close()

    @property
    def writes_to_stream(self) -> bool:
        """Whether Snakemake leaves the screen to this handler."""
        return self._view is not None

    @property
    def writes_to_file(self) -> bool:
        """Snakemake writes its own log file."""
        return False

    @property
    def has_filter(self) -> bool:
        """Every record arrives here; `events.event_of` selects."""
        return True

    @property
    def has_formatter(self) -> bool:
        """The view forms its own words."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """The Snakefile hands over the jobs themselves, by `expect`."""
        return False


def _wants_details(settings: OutputSettingsLoggerInterface) -> bool:
    """Whether the command line asks for Snakemake's own text: more of it, or less."""
    more = settings.dryrun or settings.printshellcmds or settings.verbose or settings.debug_dag
    return bool(more or settings.quiet)


def _refuse_targets_among_config_files() -> None:
    """Raise CliException, which Snakemake shows as it is, where a target became a config file."""
    from snakemake.exceptions import CliException

    from snakemake_logger_plugin_ntklens.command_line import target_among_config_files

    problem = target_among_config_files(sys.argv[1:])
    if problem is not None:
        raise CliException(problem)
