"""The ways to the eigenvalues of a normalised NTK of 1280 rows: milliseconds, busy cores and errors.

    python benchmarks/eigenvalues.py

This is what the choice of a solver rests on. First every solver, with one thread, all in turn
within a round; then several spectra at once by threads or by processes, and one by two BLAS threads.
Medians over the rounds. Errors are against the same float32 matrix solved in float64. Prints
tables and writes the numbers as JSON.
"""

import argparse
import multiprocessing
import os
import statistics
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from importlib.metadata import version
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import scipy.linalg
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
SPECTRA = 8  # in a measurement of several workers
OUT = Path(__file__).parent / "results" / "eigenvalues.json"
SCIPY, LAPACK = "scipy, evd", "its LAPACK's evd by ctypes"


def normalised_ntk():
    """Of the three-layer network, as it starts, on the first MNIST digits; its lower triangle counts."""
    digits = load_mnist_5k()
    rng = np.random.default_rng(0)
    images = digits.images[rng.permutation(len(digits.images))[:SAMPLES]].astype(np.float32) / digits.white
    model = DenseNetwork(2, WIDTH, 10)
    params = initial_parameters(model, images.shape[1], seed=0)
    return normalised(np.asarray(ntk_matrix(model, params, jnp.asarray(images), lower=True)))


def by_scipy(driver, matrix):
    return scipy.linalg.eigvalsh(matrix.T, lower=False, driver=driver, check_finite=False)


def by_jax(matrix):
    return np.asarray(device_spectrum.eigenvalues(matrix))


SOLVERS = {
    **{f"scipy, {driver}": partial(by_scipy, driver) for driver in ("ev", "evd", "evr")},
    LAPACK: lapack.eigenvalues,
    "numpy": np.linalg.eigvalsh,
    "jax.numpy": by_jax,
}


def compare_solvers(matrix, rounds):
    """Rows of milliseconds and errors: of any eigenvalue over the largest one, relative to itself, of Γ."""
    exact = by_scipy("evd", matrix.astype(np.float64))
    rows = []
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


def alternate(ways, rounds):
    """(name, [its result in each round]) for each of ``ways``, which follow one another in a round."""
    for way in ways.values():
        way()  # compiles, loads, or starts what it needs
    results = [{name: way() for name, way in ways.items()} for _ in range(rounds)]
    return [(name, [result[name] for result in results]) for name in ways]


def seconds(solve, matrix):
    begin = time.perf_counter()
    solve(matrix)
    return time.perf_counter() - begin


def compare_workers(matrix, rounds):
    """Rows of milliseconds a spectrum and busy cores (CPU time over wall time).

    Processes are sent their matrix, which counts in the wall time alone. Two BLAS threads are left
    out where they would have to wait for each other on a single core.
    """
    spawn = multiprocessing.get_context("spawn")
    pools = [ProcessPoolExecutor(1, spawn, initializer=use_threads, initargs=(1,)) for _ in range(2)]
    ways = {}
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


def wall_and_cpu(work):
    """Seconds of both, ``work`` returning the second."""
    begin = time.perf_counter()
    cpu = work()
    return time.perf_counter() - begin, cpu


def by_threads(name, matrix, threads, spectra=SPECTRA):
    """Take ``spectra``; the CPU seconds that this process spent."""
    begin = time.process_time()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(SOLVERS[name], [matrix] * spectra))
    return time.process_time() - begin


def by_processes(name, matrix, pools):
    share = SPECTRA // len(pools)
    return sum(f.result() for f in [pool.submit(by_threads, name, matrix, 1, share) for pool in pools])


def by_blas_threads(name, matrix):
    with threadpool_limits(2):
        return by_threads(name, matrix, 1)


def cores():
    return len(os.sched_getaffinity(0))


def machine():
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


def show(rows):
    names = list(rows[0])
    widths = {name: max(len(name), *(len(text(row[name])) for row in rows)) for name in names}
    for line in [dict(zip(names, names, strict=True)), *rows]:
        print("  ".join(text(line[name]).ljust(widths[name]) for name in names))
    print(flush=True)


def text(value):
    return f"{value:.3g}" if isinstance(value, float) else value


def main(argv=None):
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
