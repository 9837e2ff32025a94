"""Every file name of the workflow, as a Snakemake pattern, relative to the repository's root.

A *curve* is one study of one network on one dataset (`{study}/{dataset}/{network}`); its *points*
are the scales along it, each in a folder that the study's axis names (`width-64`, `size-128`, `removed-50`);
a *batch* is the seeds first … last that one job trains together.
"""

from ntklens.storage.tracing import RESTORED

CURVE = "{study}/{dataset}/{network}"
BATCH = CURVE + "/{point}/seeds-{first}-{last}"
# The same without slashes, for the names of logs and benchmarks.
CURVE_KEY = CURVE.replace("/", "-")
BATCH_KEY = BATCH.replace("/", "-")
POINT_KEY = CURVE_KEY + "-{point}"


def results(name: str) -> str:
    """The folder of all results of the config ``name``."""
    return f"results/{name}"


def dataset() -> str:
    return "results/datasets/{dataset}.h5"


def subset(name: str) -> str:
    return f"results/{name}/subsets/{{dataset}}.h5"


def learning_rates(name: str) -> str:
    return f"results/{name}/learning-rates/{CURVE}.json"


def run(name: str) -> str:
    return f"results/{name}/runs/{BATCH}.h5"


def averages(name: str) -> str:
    return f"results/{name}/averages/{CURVE}.h5"


def fit(name: str, quantity: str) -> str:
    """``quantity`` is adaptation-rate, power-laws, transition or infinite-width."""
    return f"results/{name}/fits/{CURVE}/{quantity}.json"


def figure(name: str, key: str) -> str:
    """A figure's path without its suffix: .pdf, .png and .json."""
    return f"results/{name}/figures/figure-{key}"


def gallery(name: str) -> str:
    """The page that shows all figures beside the paper's claims."""
    return f"results/{name}/gallery.html"


def neural_tangents(name: str) -> str:
    """The NTKs that neural-tangents computes from one run file's saved parameters."""
    return f"results/{name}/verification/{BATCH}.h5"


def archive(name: str) -> str:
    """The archive that redraws all figures and tables without runs."""
    return f"results/{name}/{name}.zip"


def restored(name: str) -> str:
    """Which files came from an archive."""
    return f"results/{name}/{RESTORED}"


def table(name: str, content: str) -> str:
    """A table's path without its suffix."""
    return f"results/{name}/tables/{content}"


def checkpoint(name: str, key: str) -> str:
    """The state from which an interrupted training job resumes. It is not the output of a rule."""
    return f"results/{name}/checkpoints/{key}.npz"


def code(name: str, rule: str, key: str) -> str:
    """The digests of the source files on which a rule's output depends. It is not the output of a rule."""
    return f"results/{name}/code/{rule}/{key}.json"


def log(name: str, rule: str, key: str) -> str:
    return f"results/{name}/logs/{rule}/{key}.log"


def benchmark(name: str, rule: str, key: str) -> str:
    return f"results/{name}/benchmarks/{rule}/{key}.tsv"
