"""Every file name of the workflow, as a Snakemake pattern, relative to the repository's root.

A *curve* is one study of one network on one dataset (`{study}/{dataset}/{network}`); its *points*
are the scales along it, each in a folder that the study's axis names (`width-64`, `size-128`, `removed-50`);
a *batch* is the seeds first … last that one job trains together.
"""

CURVE = "{study}/{dataset}/{network}"
BATCH = CURVE + "/{point}/seeds-{first}-{last}"
# The same in one word, for the names of logs and benchmarks.
CURVE_KEY = CURVE.replace("/", "-")
BATCH_KEY = BATCH.replace("/", "-")


def dataset():
    return "results/datasets/{dataset}.h5"


def subset(name):
    return f"results/{name}/subsets/{{dataset}}.h5"


def learning_rates(name):
    return f"results/{name}/learning-rates/{CURVE}.json"


def run(name):
    return f"results/{name}/runs/{BATCH}.h5"


def averages(name):
    return f"results/{name}/averages/{CURVE}.h5"


def fit(name, quantity):
    """``quantity`` is adaptation-rate, power-laws or transition."""
    return f"results/{name}/fits/{CURVE}/{quantity}.json"


def figure(name, key):
    """A figure's path without its suffix: .pdf, .png and .json."""
    return f"results/{name}/figures/figure-{key}"


def neural_tangents(name):
    """The NTKs of one run file's saved parameters, by neural-tangents."""
    return f"results/{name}/verification/{BATCH}.h5"


def table(name, content):
    """A table's path without its suffix: .csv and .json."""
    return f"results/{name}/tables/{content}"


def checkpoint(name, key):
    """What a killed training job goes on from; no rule's output."""
    return f"results/{name}/checkpoints/{key}.npz"


def log(name, rule, key):
    return f"results/{name}/logs/{rule}/{key}.log"


def benchmark(name, rule, key):
    return f"results/{name}/benchmarks/{rule}/{key}.tsv"
