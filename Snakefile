from snakemake.utils import min_version

min_version("9.0")


report: "workflow/report/workflow.rst"


include: "workflow/rules/config.smk"
include: "workflow/rules/common.smk"
include: "workflow/rules/progress.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/calibration.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/from_archive.smk" if CONFIG.precomputed else "workflow/rules/from_runs.smk"
include: "workflow/rules/analysis.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/gallery.smk"
include: "workflow/rules/verification.smk"
include: "workflow/rules/robustness.smk"


# Jobs on a cluster keep running when Snakemake is killed. No rule's environment is active here, so this uses the
# Python that runs Snakemake.
onstart:
    shell(f"{shlex.quote(sys.executable)} workflow/cancel_orphans.py")
    for view in progress_views():
        view.expect(plan_of_run())


rule all:
    default_target: True
    input:
        figure_files(),
        comparison_files(),
        variance_files(),
        gallery_file(),
    localrule: True
