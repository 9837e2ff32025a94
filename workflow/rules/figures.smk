rule figure_1:
    """Figure 1: trace, adaptation rate and effective rank against the train loss."""
    input:
        ensembles=for_curves(paths.ensemble(NAME), studies.figure_1_curves(config)),
        adaptation_rates=for_curves(paths.fit(NAME, "adaptation-rate"), studies.figure_1_curves(config)),
        code=code("figure_1.py"),
    output:
        pdf=report(
            paths.figure(NAME, 1) + ".pdf",
            caption="../report/figure-1.rst",
            category="Figures",
        ),
        png=paths.figure(NAME, 1) + ".png",
        json=paths.figure(NAME, 1) + ".json",
    log:
        paths.log(NAME, "figures", "figure-1"),
    benchmark:
        paths.benchmark(NAME, "figures", "figure-1")
    conda:
        "../../envs/figures.yaml"
    threads: 1
    params:
        settings=json.dumps({curve.study: curve.dataset for curve in studies.figure_1_curves(config)}),
    shell:
        "python {input.code[0]} --settings {params.settings:q} --ensembles {input.ensembles}"
        " --adaptation-rates {input.adaptation_rates} --out {output.pdf} 2> {log}"


rule figure_2:
    """Figure 2: test loss, effective rank, initial trace and adaptation rate against scale."""
    input:
        power_laws=for_curves(paths.fit(NAME, "power-laws"), studies.figure_2_curves(config)),
        code=code("figure_2.py"),
    output:
        pdf=report(
            paths.figure(NAME, 2) + ".pdf",
            caption="../report/figure-2.rst",
            category="Figures",
        ),
        png=paths.figure(NAME, 2) + ".png",
        json=paths.figure(NAME, 2) + ".json",
    log:
        paths.log(NAME, "figures", "figure-2"),
    benchmark:
        paths.benchmark(NAME, "figures", "figure-2")
    conda:
        "../../envs/figures.yaml"
    threads: 1
    params:
        settings=json.dumps([(curve.study, curve.dataset) for curve in studies.figure_2_curves(config)]),
    shell:
        "python {input.code[0]} --settings {params.settings:q} --power-laws {input.power_laws}"
        " --out {output.pdf} 2> {log}"


rule figure_3:
    """Figure 3: trace ratio and effective rank against width, and where they bend."""
    input:
        transitions=for_curves(paths.fit(NAME, "transition"), studies.curves(config, "model-scaling")),
        code=code("figure_3.py"),
    output:
        pdf=report(
            paths.figure(NAME, 3) + ".pdf",
            caption="../report/figure-3.rst",
            category="Figures",
        ),
        png=paths.figure(NAME, 3) + ".png",
        json=paths.figure(NAME, 3) + ".json",
    log:
        paths.log(NAME, "figures", "figure-3"),
    benchmark:
        paths.benchmark(NAME, "figures", "figure-3")
    conda:
        "../../envs/figures.yaml"
    threads: 1
    params:
        settings=json.dumps(
            [(curve.dataset, curve.network) for curve in studies.curves(config, "model-scaling")]
        ),
    shell:
        "python {input.code[0]} --settings {params.settings:q} --transitions {input.transitions}"
        " --out {output.pdf} 2> {log}"


rule figure_4:
    """Figure 4: effective rank against epochs, by how much of the training data is removed."""
    input:
        ensembles=for_curves(paths.ensemble(NAME), studies.curves(config, studies.NOISE)),
        code=code("figure_4.py"),
    output:
        pdf=report(
            paths.figure(NAME, 4) + ".pdf",
            caption="../report/figure-4.rst",
            category="Figures",
        ),
        png=paths.figure(NAME, 4) + ".png",
        json=paths.figure(NAME, 4) + ".json",
    log:
        paths.log(NAME, "figures", "figure-4"),
    benchmark:
        paths.benchmark(NAME, "figures", "figure-4")
    conda:
        "../../envs/figures.yaml"
    threads: 1
    params:
        settings=json.dumps(
            [(curve.dataset, curve.network) for curve in studies.curves(config, studies.NOISE)]
        ),
    shell:
        "python {input.code[0]} --settings {params.settings:q} --ensembles {input.ensembles}"
        " --out {output.pdf} 2> {log}"


rule figure_5:
    """Figure 5: trace and adaptation rate against the train loss, for every dataset."""
    input:
        ensembles=for_curves(paths.ensemble(NAME), studies.figure_2_curves(config)),
        adaptation_rates=for_curves(paths.fit(NAME, "adaptation-rate"), studies.figure_2_curves(config)),
        code=code("figure_5.py"),
    output:
        pdf=report(
            paths.figure(NAME, 5) + ".pdf",
            caption="../report/figure-5.rst",
            category="Figures",
        ),
        png=paths.figure(NAME, 5) + ".png",
        json=paths.figure(NAME, 5) + ".json",
    log:
        paths.log(NAME, "figures", "figure-5"),
    benchmark:
        paths.benchmark(NAME, "figures", "figure-5")
    conda:
        "../../envs/figures.yaml"
    threads: 1
    params:
        settings=json.dumps([(curve.study, curve.dataset) for curve in studies.figure_2_curves(config)]),
    shell:
        "python {input.code[0]} --settings {params.settings:q} --ensembles {input.ensembles}"
        " --adaptation-rates {input.adaptation_rates} --out {output.pdf} 2> {log}"


rule figure_6:
    """Figure 6: effective rank against the train loss, for every dataset."""
    input:
        ensembles=for_curves(paths.ensemble(NAME), studies.figure_2_curves(config)),
        code=code("figure_6.py"),
    output:
        pdf=report(
            paths.figure(NAME, 6) + ".pdf",
            caption="../report/figure-6.rst",
            category="Figures",
        ),
        png=paths.figure(NAME, 6) + ".png",
        json=paths.figure(NAME, 6) + ".json",
    log:
        paths.log(NAME, "figures", "figure-6"),
    benchmark:
        paths.benchmark(NAME, "figures", "figure-6")
    conda:
        "../../envs/figures.yaml"
    threads: 1
    params:
        settings=json.dumps([(curve.study, curve.dataset) for curve in studies.figure_2_curves(config)]),
    shell:
        "python {input.code[0]} --settings {params.settings:q} --ensembles {input.ensembles}"
        " --out {output.pdf} 2> {log}"


rule figure_7:
    """Figure 7: train and test accuracies against epochs, by how much of the training data is removed."""
    input:
        ensembles=for_curves(paths.ensemble(NAME), studies.curves(config, studies.NOISE)),
        code=code("figure_7.py"),
    output:
        pdf=report(
            paths.figure(NAME, 7) + ".pdf",
            caption="../report/figure-7.rst",
            category="Figures",
        ),
        png=paths.figure(NAME, 7) + ".png",
        json=paths.figure(NAME, 7) + ".json",
    log:
        paths.log(NAME, "figures", "figure-7"),
    benchmark:
        paths.benchmark(NAME, "figures", "figure-7")
    conda:
        "../../envs/figures.yaml"
    threads: 1
    params:
        settings=json.dumps(
            [(curve.dataset, curve.network) for curve in studies.curves(config, studies.NOISE)]
        ),
    shell:
        "python {input.code[0]} --settings {params.settings:q} --ensembles {input.ensembles}"
        " --out {output.pdf} 2> {log}"


rule figure_8:
    """Figure 8: alignment with the labels and misalignment of eigenvectors against the train loss."""
    input:
        ensembles=for_curves(paths.ensemble(NAME), studies.figure_2_curves(config)),
        code=code("figure_8.py"),
    output:
        pdf=report(
            paths.figure(NAME, 8) + ".pdf",
            caption="../report/figure-8.rst",
            category="Figures",
        ),
        png=paths.figure(NAME, 8) + ".png",
        json=paths.figure(NAME, 8) + ".json",
    log:
        paths.log(NAME, "figures", "figure-8"),
    benchmark:
        paths.benchmark(NAME, "figures", "figure-8")
    conda:
        "../../envs/figures.yaml"
    threads: 1
    params:
        settings=json.dumps([(curve.study, curve.dataset) for curve in studies.figure_2_curves(config)]),
    shell:
        "python {input.code[0]} --settings {params.settings:q} --ensembles {input.ensembles}"
        " --out {output.pdf} 2> {log}"
