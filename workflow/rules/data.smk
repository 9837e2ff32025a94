rule fetch:
    """Load one dataset, embedded in a library, from data_dir or from its host, and check it."""
    input:
        code=code("fetch.py"),
    output:
        paths.dataset(),
    log:
        "results/datasets/logs/{dataset}.log",
    benchmark:
        "results/datasets/benchmarks/{dataset}.tsv"
    conda:
        "../../envs/data.yaml"
    threads: 1
    shell:
        "python {input.code[0]} --dataset {wildcards.dataset} --out {output} 2> {log}"


rule subsample:
    """Split one dataset into train pool, test samples and NTK samples (App. D.1)."""
    input:
        dataset=paths.dataset(),
        code=code("subsample.py"),
    output:
        paths.subset(NAME),
    log:
        paths.log(NAME, "subsample", "{dataset}"),
    benchmark:
        paths.benchmark(NAME, "subsample", "{dataset}")
    conda:
        "../../envs/data.yaml"
    threads: 1
    params:
        settings=settings_of_dataset,
    shell:
        "python {input.code[0]} --dataset {input.dataset} --settings {params.settings:q}"
        " --out {output} 2> {log}"
