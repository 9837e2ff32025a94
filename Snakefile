# Snakemake takes this file where it is called in this folder, and loads profiles/default, which lies beside it.
include: "workflow/Snakefile"


# Snakemake takes no default target from an included file.
workflow.default_target = "all"
