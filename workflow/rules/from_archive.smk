rule restore:
    """Take averages and closed forms from archives, checked, instead of making them from runs."""
    input:
        archives=CONFIG.precomputed,
        code=code("restore.py"),
    output:
        files=[file.path for file in RESTORED.files],
        record=paths.restored(NAME),
    log:
        paths.log(NAME, "restore", "all"),
    benchmark:
        paths.benchmark(NAME, "restore", "all")
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    params:
        settings=as_json(RESTORED),
        # Snakemake compares times, but a copy of another archive may bring along a time before that of the results.
        archives=[sha256(archive) for archive in CONFIG.precomputed],
    shell:
        "python {input.code[0]:q} --archives {input.archives:q} --settings {params.settings:q}"
        " --out {output.files:q} --record {output.record:q} 2> {log:q}"
