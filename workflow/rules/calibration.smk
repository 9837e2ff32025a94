rule calibrate:
    """Find the learning rate that puts the minimum test loss into the window, along one curve."""
    input:
        subset=paths.subset(NAME),
        code=code("calibrate.py"),
    output:
        paths.learning_rates(NAME),
    log:
        paths.log(NAME, "calibrate", paths.CURVE_KEY),
    benchmark:
        paths.benchmark(NAME, "calibrate", paths.CURVE_KEY)
    # All training waits for these.
    priority: 1
    conda:
        "../../envs/train.yaml"
    threads: 1
    params:
        settings=settings_of_calibration,
    shell:
        "python {input.code[0]} --subset {input.subset} --settings {params.settings:q}"
        " --threads 1 --out {output} 2> {log}"
