"""Three configs with the files that each makes, listed by hand, and names that resemble them."""

from itertools import product

from tests.fuzz import draws as st

FITS = ("adaptation-rate", "power-laws", "ends")
BASE = {"ensemble": {"seeds": 5, "min_members": 2}}


class Case:
    """A config, and what it makes: curves, their batches of seeds, and which fits a curve has.

    ``runs`` maps a curve to its points, and these to their batches. ``calibrated`` and ``by_width`` are
    curves; ``fixed`` are curves that train for a fixed number of epochs, and so have averages alone.
    ``verified`` are the points at which the first batch is verified.
    """

    def __init__(self, config, runs, calibrated, by_width, fixed, verified):
        self.config, self.name, self.runs = config, config["name"], runs
        self.calibrated, self.by_width, self.fixed, self.verified = calibrated, by_width, fixed, verified

    def files(self):
        """Every file that rules with wildcards make."""
        folder = f"results/{self.name}"
        for curve, points in self.runs.items():
            dataset = curve.split("/")[1]
            yield f"results/datasets/{dataset}.h5"
            yield f"{folder}/subsets/{dataset}.h5"
            yield f"{folder}/averages/{curve}.h5"
            for point, batches in points.items():
                yield from (f"{folder}/runs/{curve}/{point}/seeds-{batch}.h5" for batch in batches)
            if curve in self.calibrated:
                yield f"{folder}/learning-rates/{curve}.json"
            if curve not in self.fixed:
                yield from (f"{folder}/fits/{curve}/{fit}.json" for fit in FITS)
            if curve in self.by_width:
                yield f"{folder}/fits/{curve}/transition.json"
                yield f"{folder}/fits/{curve}/infinite-width.json"
            for point in self.verified.get(curve, ()):
                yield f"{folder}/verification/{curve}/{point}/seeds-{points[point][0]}.h5"


def _points(axis, scales, *batches):
    return {f"{axis}-{scale}": batches for scale in scales}


WIDTHS, SIZES = (8, 16, 32, 64), (40, 80, 160)
PAPER = Case(
    {
        **BASE,
        "name": "paper-like",
        "studies": {
            "model-scaling": [
                {"dataset": "digits", "widths": list(WIDTHS), "calibrate_at": [8, 64], "seeds_per_job": 2},
                {"dataset": "mnist-5k", "widths": [8, 16], "calibrate_at": [8], "seeds_per_job": 5},
            ],
            "data-scaling": [
                {"dataset": "digits", "sizes": list(SIZES), "calibrate_at": [40, 160], "seeds_per_job": 3}
            ],
            "noise-scaling": [
                {
                    "dataset": "mnist-5k-4",
                    "train_samples": 200,
                    "removed_percent": [0, 50],
                    "ntk_samples": 20,
                    "seeds": 3,
                    "seeds_per_job": 1,
                }
            ],
        },
    },
    runs={
        **{
            f"model-scaling/digits/{network}": _points("width", WIDTHS, "0-1", "2-3", "4-4")
            for network in ("three-layer", "four-layer")
        },
        **{
            f"model-scaling/mnist-5k/{network}": _points("width", (8, 16), "0-4")
            for network in ("three-layer", "four-layer")
        },
        "data-scaling/digits/four-layer": _points("size", SIZES, "0-2", "3-4"),
        **{
            f"noise-scaling/mnist-5k-4/{network}": _points("removed", (0, 50), "0-0", "1-1", "2-2")
            for network in ("dense", "convolutional")
        },
    },
    calibrated=[
        *(
            f"model-scaling/{data}/{net}-layer"
            for data in ("digits", "mnist-5k")
            for net in ("three", "four")
        ),
        "data-scaling/digits/four-layer",
    ],
    by_width=[
        f"model-scaling/{data}/{net}-layer" for data in ("digits", "mnist-5k") for net in ("three", "four")
    ],
    fixed=["noise-scaling/mnist-5k-4/dense", "noise-scaling/mnist-5k-4/convolutional"],
    verified={
        **{
            f"model-scaling/digits/{net}-layer": ("width-8", "width-32", "width-64")
            for net in ("three", "four")
        },
        **{f"model-scaling/mnist-5k/{net}-layer": ("width-8", "width-16") for net in ("three", "four")},
        "data-scaling/digits/four-layer": ("size-40", "size-80", "size-160"),
    },
)

OWN = {
    "dataset": "digits",
    "networks": ["a-b"],
    "train_samples": 60,
    "learning_rate": 0.1,
    "seeds_per_job": 4,
}
OWN_STUDIES = Case(
    {
        **BASE,
        "name": "own",
        "networks": {"a": {"hidden_layers": 1, "width": 4}, "a-b": {"hidden_layers": 1, "width": 4}},
        "studies": {
            "deep": [{**OWN, "axis": "depth", "scales": [1, 2]}],
            "deep-er": [{**OWN, "axis": "depth", "scales": [3], "dataset": "mnist-5k"}],
            "padded": [{**OWN, "axis": "input_size", "scales": [8, 16], "image_fit": "zero-padded"}],
            "wide": [{**OWN, "axis": "width", "scales": [2, 4], "learning_rate": None, "calibrate_at": [2]}],
        },
    },
    runs={
        "deep/digits/a-b": _points("depth", (1, 2), "0-3", "4-4"),
        "deep-er/mnist-5k/a-b": _points("depth", (3,), "0-3", "4-4"),
        "padded/digits/a-b": _points("pixels", (8, 16), "0-3", "4-4"),
        "wide/digits/a-b": _points("width", (2, 4), "0-3", "4-4"),
    },
    calibrated=["wide/digits/a-b"],
    by_width=["wide/digits/a-b"],
    fixed=[],
    verified={
        "deep/digits/a-b": ("depth-1", "depth-2"),
        "deep-er/mnist-5k/a-b": ("depth-3",),
        "wide/digits/a-b": ("width-2", "width-4"),
    },
)
CASES = (PAPER, OWN_STUDIES)

PARTS = sorted(
    {part for case in CASES for file in case.files() for part in file.split("/")}
    | {"cifar-10", "x-8", "width-9", "width-08", "size-8", "seeds-7-3.h5", "seeds-00-1.h5", "seeds-0-٣.h5"}
    | {
        "..",
        ".",
        "",
        "results",
        "logs",
        "train",
        "tables",
        "figures",
        "code",
        "checkpoints",
        "width-8/..",
        "deep-",
    }
)
HOSTILE = (
    "$(touch ran)",
    "`touch ran`",
    ";touch ran;",
    " ",
    "\n",
    "'",
    '"',
    ">ran",
    "|",
    "&",
    "{x}",
    "*",
    "\\",
    "\0",
    "é",
    "-",
)


@st.composite
def target_names(draw, case):
    """A file of ``case``, or one that differs from it in one to three parts, characters or places."""
    name = draw(st.sampled_from(sorted(set(case.files()))))
    for _ in range(draw(st.integers(0, 3))):
        kind = draw(
            st.sampled_from(["part", "part", "character", "hostile", "number", "order", "case", "suffix"])
        )
        parts = name.split("/")
        at, place = draw(st.integers(0, len(parts) - 1)), draw(st.integers(0, max(len(name) - 1, 0)))
        if kind == "part":
            name = "/".join([*parts[:at], draw(st.sampled_from(PARTS)), *parts[at + 1 :]])
        elif kind == "character":
            name = name[:place] + name[place + 1 :]
        elif kind == "hostile":
            name = name[:place] + draw(st.sampled_from(HOSTILE)) + name[place:]
        elif kind == "number":
            digits = [index for index, character in enumerate(name) if character.isdigit()]
            if digits:
                place = draw(st.sampled_from(digits))
                name = (
                    name[:place]
                    + draw(st.sampled_from(list("0123456789") + ["00", "10"]))
                    + name[place + 1 :]
                )
        elif kind == "order":
            other = draw(st.integers(0, len(parts) - 1))
            parts[at], parts[other] = parts[other], parts[at]
            name = "/".join(parts)
        elif kind == "case":
            name = name.swapcase()
        else:
            name += draw(st.sampled_from(["\n", ".h5", "/", " ", "x", ".json"]))
    return name


def invented(case):
    """Every combination of the parts of ``case``'s run files, most of which it does not make."""
    curves = [curve.split("/") for curve in case.runs]
    studies, datasets, networks = (sorted({curve[index] for curve in curves}) for index in range(3))
    points = sorted({point for own in case.runs.values() for point in own})
    batches = sorted({batch for own in case.runs.values() for some in own.values() for batch in some})
    for parts in product(("runs", "verification"), studies, datasets, networks, points, batches):
        *folders, batch = parts
        yield "/".join((f"results/{case.name}", *folders, f"seeds-{batch}.h5"))
