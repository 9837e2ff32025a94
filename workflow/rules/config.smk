"""The config: its files are read strictly, then merged as Snakemake does, and checked as a whole."""

import os
import shlex
import sys

WORKFLOW = os.path.join(workflow.basedir, "workflow")
sys.path.insert(0, WORKFLOW)
from ntklens.planning.archives import check_archive, config_in
from ntklens.planning.config import ConfigError, load
from ntklens.planning.config.command_line import as_written
from ntklens.planning.config.files import check_file
from ntklens.planning.feasibility import check_feasible
from snakemake.exceptions import WorkflowError
from snakemake.utils import update_config

# PYTHONPATH would name two folders, so that scripts could find other code; Snakemake formats the path.
if unfit := [sign for sign in (os.pathsep, "{", "}") if sign in workflow.basedir]:
    raise WorkflowError(
        f"the path of this folder, {workflow.basedir}, holds {' '.join(unfit)}: move it elsewhere"
    )

DEFAULT = "config/config.yaml"
GIVEN = as_written(dict(workflow.config_settings.config))
# An archive of results brings its config along.
ARCHIVE = GIVEN.get("precomputed") if not workflow.configfiles else None

try:
    if isinstance(ARCHIVE, str):
        update_config(config, config_in(ARCHIVE))
    else:
        for file in workflow.configfiles or [DEFAULT]:
            check_file(file)
except ConfigError as error:
    raise WorkflowError(str(error)) from None


CONFIG_FILES = list(workflow.configfiles)  # those of the command line

# A config file given on the command line replaces the default one; the two are not merged.
if not workflow.configfiles and not isinstance(ARCHIVE, str):

    configfile: DEFAULT


update_config(config, GIVEN)
try:
    CONFIG = load(config)
    check_archive(CONFIG)
    check_feasible(CONFIG)
except ConfigError as error:
    raise WorkflowError(str(error)) from None
