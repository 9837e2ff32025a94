rule fetch:
    """Load one dataset from a Python package, from data_dir, from its host or from a user's file, and check it."""
    input:
        own_file=own_file_of,
        modified=modified_files_of,
        code=code_of_fetching,
    output:
        paths.dataset(),
    log:
        "results/datasets/logs/{dataset}.log",
    benchmark:
        "results/datasets/benchmarks/{dataset}.tsv"
    localrule: True
    conda:
        "../../envs/data.yaml"
    threads: 1
    params:
        # A change of this name, and so of the command, would fetch every dataset anew.
        own_file=source_of,
    shell:
        "python {input.code[0]:q} --dataset {wildcards.dataset:q} {params.own_file} --out {output:q} 2> {log:q}"


rule subsample:
    """Split one dataset into training pool and test samples (App. D.1)."""
    input:
        dataset=paths.dataset(),
        code=code_of_subsampling,
    output:
        paths.subset(NAME),
    log:
        paths.log(NAME, "subsample", "{dataset}"),
    benchmark:
        paths.benchmark(NAME, "subsample", "{dataset}")
    localrule: True
    conda:
        "../../envs/data.yaml"
    threads: 1
    params:
        settings=settings_of_dataset,
    shell:
        "python {input.code[0]:q} --dataset {input.dataset:q} --settings {params.settings:q}"
        " --out {output:q} 2> {log:q}"
