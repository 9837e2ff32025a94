rule gallery:
    """Write one page with every figure beside the paper's claims, the spectra along training, and all origins."""
    input:
        figures=[paths.figure(NAME, key) + ".json" for key in FIGURES],
        pictures=[paths.figure(NAME, key) + ".png" for key in FIGURES],
        captions=[caption_file(figure) for figure in FIGURES.values()],
        averages=[paths.averages(NAME).format(**curve._asdict()) for curve in curves.curves(CONFIG)],
        comparison=[file for file in comparison_files() if file.endswith(".csv")],
        claims=claims_file(),
        page=page_files(),
        code=code("gallery.py", *{f"ntklens.figures.{figure.kind}": None for figure in FIGURES.values()}),
    output:
        report(
            paths.gallery(NAME),
            caption="../report/gallery.rst",
            category="Gallery",
            labels={"page": "gallery", "shows": "Every figure beside the paper's claims"},
        ),
    log:
        paths.log(NAME, "gallery", "gallery"),
    benchmark:
        paths.benchmark(NAME, "gallery", "gallery")
    localrule: True
    conda:
        "../../envs/gallery.yaml"
    threads: 1
    params:
        settings=settings_of_gallery,
    shell:
        "python {input.code[0]:q} --settings {params.settings:q} --figures {input.figures:q}"
        " --captions {input.captions:q} --averages {input.averages:q} --comparison {input.comparison:q}"
        " --claims {input.claims:q} --out {output:q} 2> {log:q}"
