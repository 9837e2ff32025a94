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
        settings=as_json(CONFIG.analysis.model_dump()),
    shell:
        "python {input.code[0]} --averages {input.averages} --settings {params.settings:q}"
        " --out {output} 2> {log}"


rule power_laws:
    """Fit power laws to the key quantities along one curve (§4.2)."""
    input:
        averages=rules.aggregate.output[0],
        adaptation_rate=rules.adaptation_rate.output[0],
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
    shell:
        "python {input.code[0]} --averages {input.averages}"
        " --adaptation-rate {input.adaptation_rate} --out {output} 2> {log}"


rule transition:
    """Find the widths at which trace ratio and effective rank bend (§5)."""
    input:
        power_laws=rules.power_laws.output[0],
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
    shell:
        "python {input.code[0]} --power-laws {input.power_laws} --out {output} 2> {log}"
