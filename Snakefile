from snakemake.utils import min_version

min_version("9.0")


# A config file given on the command line stands for itself: it is not laid over the default one.
if not workflow.configfiles:

    configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/calibration.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/analysis.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/verification.smk"


# A cluster's jobs outlive a Snakemake that is killed. Its own Python: no rule's environment is active here.
onstart:
    shell(f"{shlex.quote(sys.executable)} workflow/cancel_orphans.py")


rule all:
    default_target: True
    input:
        figure_files(),
    localrule: True
