# One rule for each figure of the config. Nothing that depends on the figure is a function: Snakemake would call
# it after the loop, when `figure` is the last figure.
for figure in FIGURES.values():

    rule:
        """Draw one figure of ntklens.figures.catalogue and save the numbers that it shows."""
        name:
            figure.rule
        input:
            files=figure.files(NAME),
            code=code("figure.py", f"ntklens.figures.{figure.kind}"),
        output:
            pdf=paths.figure(NAME, figure.key) + ".pdf",
            # A browser shows a PNG in the report's page, and a PDF in a frame of its own.
            png=report(
                paths.figure(NAME, figure.key) + ".png",
                caption=f"../report/{figure.caption}",
                category="Figures",
                # The report sorts labels as texts: with a space, 9 comes before 10.
                labels={"figure": figure.key.rjust(2), "shows": figure.title},
            ),
            json=paths.figure(NAME, figure.key) + ".json",
        log:
            paths.log(NAME, "figures", f"figure-{figure.key}"),
        benchmark:
            paths.benchmark(NAME, "figures", f"figure-{figure.key}")
        localrule: True
        conda:
            "../../envs/figures.yaml"
        threads: 1
        params:
            settings=as_json(settings_of_figure(CONFIG, figure)),
        shell:
            "python {input.code[0]:q} --settings {params.settings:q} --files {input.files:q}"
            " --out {output.pdf:q} 2> {log:q}"
