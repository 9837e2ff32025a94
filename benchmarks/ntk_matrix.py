"""Our NTK beside neural-tangents' three implementations and a plain Jacobian contraction: `make bench`.

Each implementation runs in a process of its own (ntk_case.py), on one thread. In every round all
implementations run in turn; a round's time is the median over its calls without the first, and the table has
the median over rounds. The last column divides the rate at which our method does the operations that it needs
by the rate of a single-precision matrix product at the network's width, NumPy's or XLA's, whichever is
faster.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
OURS = ("ours", "ours, one triangle")
PEERS = ("STRUCTURED_DERIVATIVES", "NTK_VECTOR_PRODUCTS", "JACOBIAN_CONTRACTION", "jacrev")
NAMES = {
    "STRUCTURED_DERIVATIVES": "NT structured",
    "NTK_VECTOR_PRODUCTS": "NT vector products",
    "JACOBIAN_CONTRACTION": "NT default",
}
# At larger widths these take more than a minute per call, or more memory than a laptop has.
LARGEST_WIDTH = {"NTK_VECTOR_PRODUCTS": 256, "JACOBIAN_CONTRACTION": 256, "jacrev": 256}
WIDTHS = (8, 64, 256, 1024, 4096)
SECONDS = 2.0  # of calls in each round

Case = dict[str, Any]


def cases() -> Iterator[Case]:
    dense = {"network": "dense", "samples": 128, "outputs": 10, "inputs": 784}
    for layers, width in [*((3, width) for width in WIDTHS), (1, 256), (6, 256)]:
        yield {**dense, "layers": layers, "width": width}
    yield {"network": "convolutional", "samples": 400, "outputs": 4, "layers": 3, "width": 64}


def implementations(case: Case) -> list[str]:
    return [*OURS, *(peer for peer in PEERS if case["width"] <= LARGEST_WIDTH.get(peer, case["width"]))]


def name(case: Case) -> str:
    if case["network"] == "convolutional":
        return "conv net of App. D.2"
    return f"{case['layers']} × {case['width']}"


def timed(case: Case, implementation: str) -> dict[str, Any] | None:
    """The output of ntk_case.py, or None where it failed, such as by running out of memory."""
    environment = ROOT / (".venv" if implementation in (*OURS, "jacrev") else ".venv-oracle")
    variables = {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS")}
    variables["PYTHONPATH"] = os.pathsep.join([str(ROOT / "workflow"), str(ROOT)])
    job = json.dumps({**case, "implementation": implementation, "seconds": SECONDS})
    command = [environment / "bin/python", HERE / "ntk_case.py", job]
    result = subprocess.run(command, env=variables, capture_output=True, encoding="utf-8")
    if result.returncode:
        print(f"{name(case)}, {implementation}: {result.stderr[-300:]}", file=sys.stderr)
        return None
    return json.loads(result.stdout)


def measured(case: Case, rounds: int) -> dict[str, dict[str, float]]:
    """Median seconds, peak bytes, trace and norm of each implementation, which run in turn."""
    results: dict[str, list[dict[str, Any]]] = {
        implementation: [] for implementation in implementations(case)
    }
    for _ in range(rounds):
        for implementation, found in results.items():
            outcome = timed(case, implementation)
            if outcome:
                found.append(outcome)
    return {
        implementation: {
            "seconds": statistics.median(statistics.median(one["seconds"]) for one in found),
            "peak_bytes": max(one["peak_bytes"] for one in found),
            "trace": found[0]["trace"],
            "norm": found[0]["norm"],
        }
        for implementation, found in results.items()
        if found
    }


def operations(case: Case) -> int:
    """Floating-point operations of our method on a dense network; a product (a, b) by (b, c) takes 2abc.

    They are the forward pass, the sensitivities from the last hidden layer down to the first, and one
    triangle of the two Gram matrices of each layer.
    """
    samples, rows = case["samples"], case["samples"] * case["outputs"]
    widths = [case["inputs"], *case["layers"] * [case["width"]], case["outputs"]]
    forward = sum(2 * samples * a * b for a, b in pairwise(widths))
    backward = (case["layers"] - 1) * 2 * rows * case["width"] ** 2
    grams = case["layers"] * rows**2 * case["width"] + sum(samples**2 * width for width in widths[:-1])
    return forward + backward + grams


def product_rate(width: int) -> float:
    """Operations per second of a (1280, width) by (width, width) product, in NumPy or XLA, the faster."""
    program = f"""
import os, statistics, time
os.environ.update(NPROC="1", XLA_FLAGS="--xla_cpu_multi_thread_eigen=false")
import jax, jax.numpy as jnp, numpy as np
from threadpoolctl import threadpool_limits
a, b = np.ones((1280, {width}), np.float32), np.ones(({width}, {width}), np.float32)
x, y, product = jnp.asarray(a), jnp.asarray(b), jax.jit(jnp.matmul)
def rate(call):
    call(); times = []
    for _ in range(9):
        begin = time.perf_counter(); call(); times.append(time.perf_counter() - begin)
    return 2 * 1280 * {width}**2 / statistics.median(times)
with threadpool_limits(1):
    print(max(rate(lambda: a @ b), rate(lambda: product(x, y).block_until_ready())))
"""
    variables = {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS")}
    return float(subprocess.check_output([sys.executable, "-c", program], env=variables))


def table(results: Sequence[Mapping[str, Any]]) -> str:
    columns = [*OURS, *PEERS]
    lines = [
        "| network | "
        + " | ".join(NAMES.get(column, column) for column in columns)
        + " | share of product rate |",
        "|" + "---|" * (len(columns) + 2),
    ]
    for result in results:
        ours = result["implementations"]["ours"]["seconds"]
        cells = [cell(result["implementations"].get(column), ours, column in OURS) for column in columns]
        share = f"{100 * result['share']:.0f} %" if "share" in result else ""
        lines.append(f"| {result['name']} | " + " | ".join(cells) + f" | {share} |")
    return "\n".join(lines)


def cell(found: Mapping[str, float] | None, ours: float, is_ours: bool) -> str:
    if found is None:
        return "–"
    ratio = "" if is_ours else f", {found['seconds'] / ours:.1f} ×"
    return f"{1000 * found['seconds']:.3g} ms{ratio}, {found['peak_bytes'] / 2**20:.0f} MiB"


def draw(results: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw milliseconds against width, for networks of three hidden layers."""
    chosen = [one for one in results if one["case"]["network"] == "dense" and one["case"]["layers"] == 3]
    figure, axes = plt.subplots(figsize=(6.2, 3.4), layout="constrained")
    for implementation in (*OURS, *PEERS):
        points = [
            (one["case"]["width"], 1000 * one["implementations"][implementation]["seconds"])
            for one in chosen
            if implementation in one["implementations"]
        ]
        style: dict[str, Any] = {"marker": "o" if implementation in OURS else "s", "markersize": 4}
        axes.loglog(*zip(*points, strict=True), label=NAMES.get(implementation, implementation), **style)
    axes.set(xlabel="width $m$", ylabel="one NTK, $N = 1280$ (ms)")
    figure.legend(loc="outside right upper", fontsize="small")
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "ntk_matrix")
    args = parser.parse_args()
    if not (ROOT / ".venv-oracle/ready").exists():
        sys.exit("neural-tangents is not set up: run make oracle")
    results = []
    for case in cases():
        result = {"name": name(case), "case": case, "implementations": measured(case, args.rounds)}
        if case["network"] == "dense":
            rate = product_rate(case["width"])
            result["product_rate"] = rate
            fastest = min(result["implementations"][one]["seconds"] for one in OURS)
            result["share"] = operations(case) / fastest / rate
        results.append(result)
        print(json.dumps(result), file=sys.stderr, flush=True)
    args.out.parent.mkdir(exist_ok=True)
    args.out.with_suffix(".json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    args.out.with_suffix(".md").write_text(table(results) + "\n", encoding="utf-8")
    draw(results, args.out.with_suffix(".png"))
    print(table(results))


if __name__ == "__main__":
    main()
