rule robustness:
    """Set the numbers of every curve of widths beside those of its baseline, what the paper does not state being varied."""
    input:
        averages=averages_of_variations(),
        runs=runs_of_baselines(),
        code=code("robustness.py"),
    output:
        csv=paths.table(NAME, "robustness") + ".csv",
        md=paths.table(NAME, "robustness") + ".md",
    log:
        paths.log(NAME, "tables", "robustness"),
    benchmark:
        paths.benchmark(NAME, "tables", "robustness")
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    params:
        settings=as_json(ROBUSTNESS),
    shell:
        "python {input.code[0]:q} --averages {input.averages:q} --runs {input.runs:q}"
        " --settings {params.settings:q} --out {output.csv:q} 2> {log:q}"
