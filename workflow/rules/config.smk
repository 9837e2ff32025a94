"""The config: its files are read strictly, then merged as Snakemake does, and checked as a whole."""

import shlex

from ntklens.planning.archives import check_archive, config_in
from ntklens.planning.config import ConfigError, load
from ntklens.planning.config.command_line import as_written
from ntklens.planning.config.files import check_file
from ntklens.planning.feasibility import check_feasible
from snakemake.common.configfile import load_configfile
from snakemake.utils import update_config

# That of the folder in which Snakemake runs comes before that of the workflow's own folder.
DEFAULT = "config/config.yaml"
if not os.path.exists(DEFAULT):
    DEFAULT = in_rules(os.path.join(REPOSITORY, DEFAULT))

# The command line of a workflow that uses this one as a module is about that workflow's config. This one's config is
# what the module statement gives it as a whole.
CONFIG_FILES = [] if MODULE else list(workflow.configfiles)  # of the command line
GIVEN = {} if MODULE else as_written(dict(workflow.config_settings.config))
# An archive of results brings its config along.
ARCHIVE = GIVEN.get("precomputed") if not CONFIG_FILES else None
if isinstance(ARCHIVE, list) and len(ARCHIVE) == 1:
    (ARCHIVE,) = ARCHIVE

try:
    if isinstance(ARCHIVE, str):
        update_config(config, config_in(ARCHIVE))
    elif not MODULE:
        for file in CONFIG_FILES or [DEFAULT]:
            check_file(file)
except ConfigError as error:
    raise WorkflowError(str(error)) from None


# A config file given on the command line replaces the default one; the two are not merged.
if MODULE:
    if not workflow.modifier.skip_configfile:
        update_config(config, load_configfile(DEFAULT))
elif not CONFIG_FILES and not isinstance(ARCHIVE, str):

    configfile: DEFAULT


update_config(config, GIVEN)
try:
    CONFIG = load(config)
    check_archive(CONFIG)
    check_feasible(CONFIG)
except ConfigError as error:
    raise WorkflowError(str(error)) from None
