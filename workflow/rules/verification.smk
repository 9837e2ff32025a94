rule neural_tangents:
    """Compute the NTKs of one run file's saved parameters with neural-tangents."""
    input:
        run=paths.run(NAME),
        subset=paths.subset(NAME),
        code=code("neural_tangents_kernels.py"),
    output:
        temp(paths.neural_tangents(NAME)),
    log:
        paths.log(NAME, "neural_tangents", paths.BATCH_KEY),
    benchmark:
        paths.benchmark(NAME, "neural_tangents", paths.BATCH_KEY)
    wildcard_constraints:
        study=TARGETS.verified,
    conda:
        "../../envs/neural-tangents.yaml"
    threads: 1
    # Measured for one network of width 4096: a peak of 1.3 GB, and 20 seconds.
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        made_with=digest_of_training,
    shell:
        '(command -v "$NEURAL_TANGENTS_PYTHON" > /dev/null'
        " || {{ echo 'neural-tangents is not set up: run make oracle' >&2; exit 1; }};"
        ' "$NEURAL_TANGENTS_PYTHON" {input.code[0]:q} --run {input.run:q} --subset {input.subset:q}'
        " --made-with {params.made_with} --threads 1 --out {output:q}) 2> {log:q}"


rule verify:
    """Compare our NTK, recomputed and as saved in run files, with that of neural-tangents at some points of every curve."""
    input:
        runs=for_verified_batches(paths.run(NAME)),
        kernels=for_verified_batches(paths.neural_tangents(NAME)),
        subsets=[paths.subset(NAME).format(dataset=dataset) for dataset in verified_datasets()],
        code=code("verify.py"),
    output:
        csv=paths.table(NAME, "verification") + ".csv",
        json=paths.table(NAME, "verification") + ".json",
    log:
        paths.log(NAME, "tables", "verification"),
    benchmark:
        paths.benchmark(NAME, "tables", "verification")
    conda:
        "../../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        made_with=digests_of_verified(),
    shell:
        "python {input.code[0]:q} --runs {input.runs:q} --kernels {input.kernels:q} --subsets {input.subsets:q}"
        " --made-with {params.made_with} --threads 1 --out {output.csv:q} 2> {log:q}"
