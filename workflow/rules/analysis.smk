rule aggregate:
    """Average the seeds of every point of one curve."""
    input:
        runs=runs_of,
        code=code("aggregate.py"),
    output:
        paths.averages(NAME),
    log:
        paths.log(NAME, "aggregate", paths.CURVE_KEY),
    benchmark:
        paths.benchmark(NAME, "aggregate", paths.CURVE_KEY)
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    params:
        settings=settings_of_averaging,
    shell:
        "python {input.code[0]} --runs {input.runs} --settings {params.settings:q}" " --out {output} 2> {log}"


rule infinite_width:
    """Compute the closed forms of Tr Θ₀ and Γ_∞ on the NTK samples of one curve of widths (§5)."""
    input:
        subset=rules.subsample.output[0],
        code=code_of_infinite_width,
    output:
        paths.fit(NAME, "infinite-width"),
    log:
        paths.log(NAME, "infinite_width", paths.CURVE_KEY),
    benchmark:
        paths.benchmark(NAME, "infinite_width", paths.CURVE_KEY)
    localrule: True
    conda:
        "../../envs/train.yaml"
    threads: 1
    params:
        settings=settings_of_infinite_width,
    shell:
        "python {input.code[0]} --subset {input.subset} --settings {params.settings:q}"
        " --out {output} 2> {log}"


rule adaptation_rate:
    """Compute χ along training at every point of one curve (Eq. 4, App. B.4)."""
    input:
        averages=rules.aggregate.output[0],
        code=code("adaptation_rate.py"),
    output:
        paths.fit(NAME, "adaptation-rate"),
    log:
        paths.log(NAME, "adaptation_rate", paths.CURVE_KEY),
    benchmark:
        paths.benchmark(NAME, "adaptation_rate", paths.CURVE_KEY)
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    params:
        settings=settings_of_analysis,
    shell:
        "python {input.code[0]} --averages {input.averages} --settings {params.settings:q}"
        " --out {output} 2> {log}"


rule power_laws:
    """Fit laws to the key quantities along one curve, with intervals (§4.2)."""
    input:
        averages=rules.aggregate.output[0],
        infinite_width=infinite_width_of,
        code=code("power_laws.py"),
    output:
        paths.fit(NAME, "power-laws"),
    log:
        paths.log(NAME, "power_laws", paths.CURVE_KEY),
    benchmark:
        paths.benchmark(NAME, "power_laws", paths.CURVE_KEY)
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    params:
        settings=settings_of_analysis,
        infinite_width=lambda wildcards, input: (
            f"--infinite-width {input.infinite_width}" if input.infinite_width else ""
        ),
    shell:
        "python {input.code[0]} --averages {input.averages} {params.infinite_width}"
        " --settings {params.settings:q} --out {output} 2> {log}"


rule transition:
    """Find the widths at which trace ratio and effective rank bend, with intervals (§5)."""
    input:
        averages=rules.aggregate.output[0],
        infinite_width=infinite_width_of,
        code=code("transition.py"),
    output:
        paths.fit(NAME, "transition"),
    log:
        paths.log(NAME, "transition", paths.CURVE_KEY),
    benchmark:
        paths.benchmark(NAME, "transition", paths.CURVE_KEY)
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    params:
        settings=settings_of_analysis,
        infinite_width=lambda wildcards, input: (
            f"--infinite-width {input.infinite_width}" if input.infinite_width else ""
        ),
    shell:
        "python {input.code[0]} --averages {input.averages} {params.infinite_width}"
        " --settings {params.settings:q} --out {output} 2> {log}"


rule ends:
    """Compare both ends of training along one curve: layers, ranks, distances, the loss's gradient (App. B.2.1)."""
    input:
        averages=rules.aggregate.output[0],
        code=code("ends.py"),
    output:
        paths.fit(NAME, "ends"),
    log:
        paths.log(NAME, "ends", paths.CURVE_KEY),
    benchmark:
        paths.benchmark(NAME, "ends", paths.CURVE_KEY)
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    params:
        settings=settings_of_analysis,
    shell:
        "python {input.code[0]} --averages {input.averages} --settings {params.settings:q}"
        " --out {output} 2> {log}"


rule comparison:
    """Set every claim of the paper beside the results, with the verdict that follows from its interval."""
    input:
        averages=averages_of_paper(),
        claims="config/claims.yaml",
        code=code("comparison.py"),
    output:
        csv=paths.table(NAME, "paper-comparison") + ".csv",
        md=paths.table(NAME, "paper-comparison") + ".md",
        html=report(
            paths.table(NAME, "paper-comparison") + ".html",
            caption="../report/paper-comparison.rst",
            category="Tables",
            labels={"table": "claims", "shows": "Every claim of the paper beside the results"},
        ),
    log:
        paths.log(NAME, "tables", "paper-comparison"),
    benchmark:
        paths.benchmark(NAME, "tables", "paper-comparison")
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    params:
        settings=as_json(settings.comparison_settings(CONFIG)),
    shell:
        "python {input.code[0]} --claims {input.claims} --averages {input.averages}"
        " --settings {params.settings:q} --out {output.csv} 2> {log}"


rule variance_components:
    """Split the spread of key quantities into initialisation, training draw and NTK draw (App. D.1)."""
    input:
        runs=runs_of_draws(),
        code=code("variance_components.py"),
    output:
        csv=paths.table(NAME, "variance-components") + ".csv",
        md=paths.table(NAME, "variance-components") + ".md",
    log:
        paths.log(NAME, "tables", "variance-components"),
    benchmark:
        paths.benchmark(NAME, "tables", "variance-components")
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    params:
        settings=as_json(settings.variance_settings(CONFIG)),
    shell:
        "python {input.code[0]} --runs {input.runs} --settings {params.settings:q}"
        " --out {output.csv} 2> {log}"
