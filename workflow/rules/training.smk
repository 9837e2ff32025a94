rule train:
    """Train one batch of seeds at one point of a scaling study and measure the NTK along the way (App. D.1)."""
    input:
        subset=paths.subset(NAME),
        learning_rates=learning_rates_of,
        code=code("train.py"),
    output:
        paths.run(NAME),
    log:
        paths.log(NAME, "train", paths.BATCH_KEY),
    benchmark:
        paths.benchmark(NAME, "train", paths.BATCH_KEY)
    wildcard_constraints:
        study="|".join(studies.SCALING),
    conda:
        TRAINING_ENVIRONMENT
    threads: 1
    resources:
        gpu=GPUS,
        mem_mb=memory_of_training,
        runtime=runtime_of_training,
    params:
        settings=settings_of_training,
        learning_rates=lambda wildcards, input: (
            f"--learning-rates {input.learning_rates}" if input.learning_rates else ""
        ),
        checkpoint=paths.checkpoint(NAME, paths.BATCH_KEY),
    shell:
        "python {input.code[0]} --subset {input.subset} {params.learning_rates}"
        " --settings {params.settings:q} --seeds {wildcards.first} {wildcards.last}"
        " --threads {threads} --gpus {resources.gpu} --memory {resources.mem_mb}"
        " --checkpoint {params.checkpoint} --out {output} 2> {log}"


rule train_noise:
    """Train one batch of seeds on data of which a share is noisy copies, and measure the NTK (App. B.2, D.2)."""
    input:
        subset=paths.subset(NAME),
        code=code("train_noise.py"),
    output:
        paths.run(NAME),
    log:
        paths.log(NAME, "train_noise", paths.BATCH_KEY),
    benchmark:
        paths.benchmark(NAME, "train_noise", paths.BATCH_KEY)
    wildcard_constraints:
        study=studies.NOISE,
    # The longest jobs, which wait for nothing: started last they would run on alone.
    priority: 2
    conda:
        TRAINING_ENVIRONMENT
    threads: 1
    resources:
        gpu=GPUS,
        mem_mb=memory_of_training,
        runtime=runtime_of_training,
    params:
        settings=settings_of_noise_training,
        checkpoint=paths.checkpoint(NAME, paths.BATCH_KEY),
    shell:
        "python {input.code[0]} --subset {input.subset} --settings {params.settings:q}"
        " --seeds {wildcards.first} {wildcards.last}"
        " --threads {threads} --gpus {resources.gpu} --memory {resources.mem_mb}"
        " --checkpoint {params.checkpoint} --out {output} 2> {log}"
