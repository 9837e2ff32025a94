rule adaptation_rate:
    """Compute χ along training at every point of one curve (Eq. 4, App. B.4)."""
    input:
        averages=paths.averages(NAME),
        code=code("adaptation_rate.py"),
    output:
        paths.fit(NAME, "adaptation-rate"),
    log:
        paths.log(NAME, "adaptation_rate", paths.CURVE_KEY),
    benchmark:
        paths.benchmark(NAME, "adaptation_rate", paths.CURVE_KEY)
    wildcard_constraints:
        study=TARGETS.followed,
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    params:
        settings=settings_of_analysis,
    shell:
        "python {input.code[0]:q} --averages {input.averages:q} --settings {params.settings:q}"
        " --out {output:q} 2> {log:q}"


rule power_laws:
    """Fit laws to the key quantities along one curve, with intervals (§4.2)."""
    input:
        averages=paths.averages(NAME),
        infinite_width=infinite_width_of,
        code=code("power_laws.py"),
    output:
        paths.fit(NAME, "power-laws"),
    log:
        paths.log(NAME, "power_laws", paths.CURVE_KEY),
    benchmark:
        paths.benchmark(NAME, "power_laws", paths.CURVE_KEY)
    wildcard_constraints:
        study=TARGETS.followed,
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    params:
        settings=settings_of_analysis,
        infinite_width=lambda wildcards, input: (
            f"--infinite-width {shlex.quote(str(input.infinite_width))}" if input.infinite_width else ""
        ),
    shell:
        "python {input.code[0]:q} --averages {input.averages:q} {params.infinite_width}"
        " --settings {params.settings:q} --out {output:q} 2> {log:q}"


rule transition:
    """Find the widths at which trace ratio and effective rank bend, with intervals (§5)."""
    input:
        averages=paths.averages(NAME),
        infinite_width=infinite_width_of,
        code=code("transition.py"),
    output:
        paths.fit(NAME, "transition"),
    log:
        paths.log(NAME, "transition", paths.CURVE_KEY),
    benchmark:
        paths.benchmark(NAME, "transition", paths.CURVE_KEY)
    wildcard_constraints:
        study=TARGETS.by_width,
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    params:
        settings=settings_of_analysis,
        infinite_width=lambda wildcards, input: (
            f"--infinite-width {shlex.quote(str(input.infinite_width))}" if input.infinite_width else ""
        ),
    shell:
        "python {input.code[0]:q} --averages {input.averages:q} {params.infinite_width}"
        " --settings {params.settings:q} --out {output:q} 2> {log:q}"


rule ends:
    """Compare both ends of training along one curve: layers, ranks, distances, the loss's gradient (App. B.2.1)."""
    input:
        averages=paths.averages(NAME),
        code=code("ends.py"),
    output:
        paths.fit(NAME, "ends"),
    log:
        paths.log(NAME, "ends", paths.CURVE_KEY),
    benchmark:
        paths.benchmark(NAME, "ends", paths.CURVE_KEY)
    wildcard_constraints:
        study=TARGETS.followed,
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    params:
        settings=settings_of_analysis,
    shell:
        "python {input.code[0]:q} --averages {input.averages:q} --settings {params.settings:q}"
        " --out {output:q} 2> {log:q}"


rule comparison:
    """Set every claim of the paper beside the results, with the verdict that follows from its interval."""
    input:
        averages=averages_of_paper(),
        claims=claims_file(),
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
        "python {input.code[0]:q} --claims {input.claims:q} --averages {input.averages:q}"
        " --settings {params.settings:q} --out {output.csv:q} 2> {log:q}"
