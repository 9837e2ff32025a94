"""Solvers for the eigenvalues of a normalised NTK of 1280 rows: milliseconds, busy cores and errors.

    python benchmarks/eigenvalues.py

The workflow's choice of a solver rests on these numbers. The first table compares the solvers on one thread;
the second computes several spectra at once in threads or processes, or with two BLAS threads. In every round
each way is measured once, in turn; the tables have medians over the rounds. Errors are relative to the same
float32 matrix solved in float64. The numbers are also written as JSON.
"""

import argparse
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jaxtyping import Float
from ntklens.data.loaders import load_mnist_5k
from ntklens.kernel.ntk import ntk_matrix
from ntklens.machine import processor
from ntklens.machine.threads import use_threads
from ntklens.networks.modules import DenseNetwork, initial_parameters
from ntklens.spectrum import lapack
from ntklens.spectrum import on_device as device_spectrum
from ntklens.spectrum.effective_rank import effective_rank
from ntklens.spectrum.eigenvalues import normalised
from ntklens.storage.files import write_json
from threadpoolctl import threadpool_info, threadpool_limits

SAMPLES = 128
WIDTH = 128
ROUNDS = 7
SPECTRA = 8  # computed in each measurement of several workers
OUT = Path(__file__).parent / "results" / "eigenvalues.json"
SCIPY, LAPACK = "scipy, evd", "its LAPACK's evd by ctypes"

Matrix = Float[np.ndarray, "N N"]
Eigenvalues = Float[np.ndarray, " N"]
Row = dict[str, str | float]
Name = TypeVar("Name")
Result = TypeVar("Result")


def normalised_ntk() -> Matrix:
    """The lower triangle of the three-layer network's normalised NTK at initialisation, on MNIST digits."""
    digits = load_mnist_5k()
    rng = np.random.default_rng(0)
    images = digits.images[rng.permutation(len(digits.images))[:SAMPLES]].astype(np.float32) / digits.white
    model = DenseNetwork(2, WIDTH, 10)
    params = initial_parameters(model, images.shape[1], seed=0)
    return normalised(np.asarray(ntk_matrix(model, params, jnp.asarray(images), lower=True)))


def by_scipy(driver: str, matrix: Matrix) -> Eigenvalues:
    return scipy.linalg.eigvalsh(matrix.T, lower=False, driver=driver, check_finite=False)


def by_jax(matrix: Matrix) -> Eigenvalues:
    return np.asarray(device_spectrum.eigenvalues(matrix))


SOLVERS: dict[str, Callable[[Matrix], Eigenvalues]] = {
    **{f"scipy, {driver}": partial(by_scipy, driver) for driver in ("ev", "evd", "evr")},
    LAPACK: lapack.eigenvalues,
    "numpy": np.linalg.eigvalsh,
    "jax.numpy": by_jax,
}


def compare_solvers(matrix: Matrix, rounds: int) -> list[Row]:
    """One row for each solver: its milliseconds, its largest errors in an eigenvalue, its error in Γ.

    Errors in an eigenvalue are divided by the largest eigenvalue, and by the eigenvalue itself.
    """
    exact = by_scipy("evd", matrix.astype(np.float64))
    rows: list[Row] = []
    for name, times in alternate({n: partial(seconds, s, matrix) for n, s in SOLVERS.items()}, rounds):
        found = SOLVERS[name](matrix)
        rows.append(
            {
                "solver": name,
                "milliseconds": 1000 * statistics.median(times),
                "error_over_largest": float(np.abs(found - exact).max() / exact[-1]),
                "relative_error": float(np.abs(found / exact - 1).max()),
                "effective_rank_error": float(abs(effective_rank(found) / effective_rank(exact) - 1)),
            }
        )
    return rows


def alternate(ways: Mapping[Name, Callable[[], Result]], rounds: int) -> list[tuple[Name, list[Result]]]:
    """The results of each of ``ways`` in every round; each round calls all of them in turn."""
    for way in ways.values():
        way()  # compiles, loads libraries, starts workers
    results = [{name: way() for name, way in ways.items()} for _ in range(rounds)]
    return [(name, [result[name] for result in results]) for name in ways]


def seconds(solve: Callable[[Matrix], Eigenvalues], matrix: Matrix) -> float:
    begin = time.perf_counter()
    solve(matrix)
    return time.perf_counter() - begin


def compare_workers(matrix: Matrix, rounds: int) -> list[Row]:
    """One row for each way: milliseconds per spectrum, and busy cores (CPU time over wall time).

    Sending the matrix to a process counts as wall time, but not as CPU time. On a single core, where two BLAS
    threads would wait for each other, they are left out.
    """
    spawn = multiprocessing.get_context("spawn")
    pools = [ProcessPoolExecutor(1, spawn, initializer=use_threads, initargs=(1,)) for _ in range(2)]
    ways: dict[tuple[str, str], Callable[[], float]] = {}
    for name in (SCIPY, LAPACK):
        ways[name, "one worker"] = partial(by_threads, name, matrix, 1)
        ways[name, "two threads"] = partial(by_threads, name, matrix, 2)
        ways[name, "two processes"] = partial(by_processes, name, matrix, pools)
    if cores() > 1:
        ways[SCIPY, "one worker, two BLAS threads"] = partial(by_blas_threads, SCIPY, matrix)
    measured = alternate({way: partial(wall_and_cpu, work) for way, work in ways.items()}, rounds)
    for pool in pools:
        pool.shutdown()
    return [
        {
            "solver": name,
            "workers": workers,
            "milliseconds": 1000 * statistics.median(wall for wall, _ in times) / SPECTRA,
            "busy_cores": statistics.median(cpu / wall for wall, cpu in times),
        }
        for (name, workers), times in measured
    ]


def wall_and_cpu(work: Callable[[], float]) -> tuple[float, float]:
    """Seconds of wall time and CPU time of ``work``, which returns the latter."""
    begin = time.perf_counter()
    cpu = work()
    return time.perf_counter() - begin, cpu


def by_threads(name: str, matrix: Matrix, threads: int, spectra: int = SPECTRA) -> float:
    """Compute ``spectra`` spectra. Returns the CPU seconds that this process spent."""
    begin = time.process_time()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(SOLVERS[name], [matrix] * spectra))
    return time.process_time() - begin


def by_processes(name: str, matrix: Matrix, pools: Sequence[ProcessPoolExecutor]) -> float:
    share = SPECTRA // len(pools)
    return sum(f.result() for f in [pool.submit(by_threads, name, matrix, 1, share) for pool in pools])


def by_blas_threads(name: str, matrix: Matrix) -> float:
    with threadpool_limits(2):
        return by_threads(name, matrix, 1)


def cores() -> int:
    return len(os.sched_getaffinity(0))


def machine() -> dict[str, Any]:
    return {
        "processor": processor.model(),
        "cores": cores(),
        "versions": {name: version(name) for name in ("numpy", "scipy", "jax")},
        "blas": [
            {key: info.get(key) for key in ("internal_api", "version", "architecture")}
            for info in threadpool_info()
            if info["user_api"] == "blas"
        ],
    }


def show(rows: Sequence[Row]) -> None:
    names = list(rows[0])
    widths = {name: max(len(name), *(len(text(row[name])) for row in rows)) for name in names}
    for line in [dict(zip(names, names, strict=True)), *rows]:
        print("  ".join(text(line[name]).ljust(widths[name]) for name in names))
    print(flush=True)


def text(value: str | float) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args(argv)
    use_threads(1)
    matrix = normalised_ntk()
    result = {"machine": machine(), "rows": len(matrix), "rounds": args.rounds}
    result["solvers"] = compare_solvers(matrix, args.rounds)
    show(result["solvers"])
    result["workers"] = compare_workers(matrix, args.rounds)
    show(result["workers"])
    write_json(args.out, result)


if __name__ == "__main__":
    main()
