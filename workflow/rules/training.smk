rule train:
    """Train one batch of seeds at one point and measure the NTK along the way."""
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
    conda:
        "../../envs/train.yaml"
    threads: 1
    params:
        settings=settings_of_training,
        learning_rates=lambda wildcards, input: (
            f"--learning-rates {input.learning_rates}" if input.learning_rates else ""
        ),
    shell:
        "python {input.code[0]} --subset {input.subset} {params.learning_rates}"
        " --settings {params.settings:q} --seeds {wildcards.first} {wildcards.last}"
        " --threads {threads} --out {output} 2> {log}"
