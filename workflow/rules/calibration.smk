rule calibrate:
    """Find the learning rates of one curve that put the minimum of the test loss into the window."""
    input:
        subset=paths.subset(NAME),
        code=code_of_calibration,
    output:
        paths.learning_rates(NAME),
    log:
        paths.log(NAME, "calibrate", paths.CURVE_KEY),
    benchmark:
        paths.benchmark(NAME, "calibrate", paths.CURVE_KEY)
    wildcard_constraints:
        study=TARGETS.calibrated,
    # Training has to wait for calibration, so calibration starts first.
    priority: 1
    conda:
        TRAINING_ENVIRONMENT
    threads: 1
    resources:
        gpu=GPUS,
        mem_mb=memory_of_calibration,
        runtime=run_time_of_calibration,
    params:
        settings=settings_of_calibration,
        checkpoint=paths.checkpoint(NAME, "calibrate-" + paths.CURVE_KEY),
    shell:
        "python {input.code[0]:q} --subset {input.subset:q} --settings {params.settings:q}"
        " --gpus {resources.gpu} --memory {resources.mem_mb} --checkpoint {params.checkpoint:q}"
        " --out {output:q} 2> {log:q}"
