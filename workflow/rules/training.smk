rule train:
    """Train one batch of seeds at one point of a study and measure the NTK during training (App. D.1, D.2)."""
    input:
        subset=paths.subset(NAME),
        learning_rates=learning_rates_of,
        code=code_of_training,
    output:
        paths.run(NAME),
    log:
        paths.log(NAME, "train", paths.BATCH_KEY),
    benchmark:
        paths.benchmark(NAME, "train", paths.BATCH_KEY)
    wildcard_constraints:
        study=TARGETS.trained,
    priority: priority_of_training
    conda:
        TRAINING_ENVIRONMENT
    threads: 1
    resources:
        gpu=GPUS,
        mem_mb=memory_of_training,
        runtime=run_time_of_training,
    params:
        settings=settings_of_training,
        learning_rates=lambda wildcards, input: (
            f"--learning-rates {shlex.quote(str(input.learning_rates))}" if input.learning_rates else ""
        ),
        checkpoint=paths.checkpoint(NAME, paths.BATCH_KEY),
    shell:
        "python {input.code[0]:q} --subset {input.subset:q} {params.learning_rates}"
        " --settings {params.settings:q} --seeds {wildcards.first:q} {wildcards.last:q}"
        " --threads {threads} --gpus {resources.gpu} --memory {resources.mem_mb}"
        " --checkpoint {params.checkpoint:q} --out {output:q} 2> {log:q}"
