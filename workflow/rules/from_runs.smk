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
    wildcard_constraints:
        study=TARGETS.averaged,
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    params:
        settings=settings_of_averaging,
    shell:
        "python {input.code[0]:q} --runs {input.runs:q} --settings {params.settings:q}"
        " --out {output:q} 2> {log:q}"


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
    wildcard_constraints:
        study=TARGETS.closed_form,
    localrule: True
    conda:
        "../../envs/train.yaml"
    threads: 1
    params:
        settings=settings_of_infinite_width,
    shell:
        "python {input.code[0]:q} --subset {input.subset:q} --settings {params.settings:q}"
        " --out {output:q} 2> {log:q}"


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
        "python {input.code[0]:q} --runs {input.runs:q} --settings {params.settings:q}"
        " --out {output.csv:q} 2> {log:q}"


rule archive:
    """Pack all that it takes to draw the figures and tables again without runs."""
    input:
        results=archived_files(),
        runs=every_run(),
        code=code("archive.py"),
    output:
        paths.archive(NAME),
    log:
        paths.log(NAME, "archive", "all"),
    benchmark:
        paths.benchmark(NAME, "archive", "all")
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    params:
        settings=as_json(archive_settings(config)),
    shell:
        "python {input.code[0]:q} --results {input.results:q} --runs {input.runs:q} --settings {params.settings:q}"
        " --out {output:q} 2> {log:q}"
