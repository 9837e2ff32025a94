"""One snapshot of an NTK of 1280 rows, by LAPACK alone and as the workflow takes it: milliseconds and errors.

    python benchmarks/snapshots.py

A snapshot is the eigenvalues of Θ̂ and the alignments of Θ, which need the top eigenvectors of Θ and of the
NTK one update later; their number is the effective rank. By LAPACK alone, ?SYEVR computes them for each NTK;
the workflow uses the block Lanczos method. NTKs are those of three-layer networks on 128 digits or MNIST
samples, at initialisation and after 200 steps of Adam. Times are CPU milliseconds on one thread: in every
round each way is measured once, in turn, and the table has medians over the rounds. Accuracy is judged by the
same matrices solved in float64: the largest angle between the spaces of the vectors, and the errors of the
misalignments. Where eigenvalues nearly coincide, single vectors have no exact value in float32. The numbers
are also written as JSON.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from eigenvalues import Row, alternate, machine, show
from jaxtyping import Float, Int
from ntklens.data.loaders import load_digits, load_mnist_5k
from ntklens.kernel.ntk import ntk_matrix
from ntklens.machine.threads import use_threads
from ntklens.networks.modules import DenseNetwork, initial_parameters
from ntklens.spectrum import lanczos, lapack
from ntklens.spectrum.alignments import misalignments
from ntklens.spectrum.effective_rank import effective_rank
from ntklens.spectrum.triangles import symmetric
from ntklens.storage.files import write_json
from ntklens.studies.spectrum_workers import spectra_of
from ntklens.training.members import outputs_of

SAMPLES, TRAIN, STEPS, LEARNING_RATE = 128, 100, 200, 1e-3
WIDTHS = (8, 64, 512)
DATASETS = {"digits": load_digits, "mnist-5k": load_mnist_5k}
ROUNDS = 5
OUT = Path(__file__).parent / "results" / "snapshots.json"

Matrix = Float[np.ndarray, "N N"]
Vectors = Float[np.ndarray, "k N"]


class Case(NamedTuple):
    """The NTKs before and after one update, as lower triangles, and the samples' labels."""

    name: str
    before: Matrix
    after: Matrix
    labels: Int[np.ndarray, " d"]


def cases() -> Iterator[Case]:
    for dataset, load in DATASETS.items():
        data = load()
        order = np.random.default_rng(0).permutation(len(data.images))[: SAMPLES + TRAIN]
        images = jnp.asarray(data.images[order], jnp.float32) / data.white
        for width in WIDTHS:
            yield from of_network(f"{dataset}, width {width}", width, images, data.labels[order].astype(int))


def of_network(name: str, width: int, images: jax.Array, labels: np.ndarray) -> Iterator[Case]:
    """The `Case`s at the first and at the last of a network's steps of Adam."""
    model, adam = DenseNetwork(2, width, 10), optax.adam(LEARNING_RATE)
    targets = jnp.asarray(labels[SAMPLES:])

    def loss(params: Any) -> jax.Array:
        outputs = outputs_of(model, params, images[SAMPLES:])
        return optax.softmax_cross_entropy_with_integer_labels(outputs, targets).mean()

    @jax.jit
    def step(params: Any, state: Any) -> tuple[Any, Any]:
        changes, state = adam.update(jax.grad(loss)(params), state)
        return optax.apply_updates(params, changes), state

    kernel = jax.jit(lambda params: ntk_matrix(model, params, images[:SAMPLES], lower=True))
    params: Any = initial_parameters(model, images.shape[1], seed=0)
    state = adam.init(params)
    for number in range(STEPS + 1):
        updated, state = step(params, state)
        if number in (0, STEPS):
            before, after = np.asarray(kernel(params)), np.asarray(kernel(updated))
            yield Case(f"{name}, step {number}", before, after, labels[:SAMPLES])
        params = updated


def by_lapack(matrix: Matrix, count: int, near: Vectors | None = None) -> Vectors:
    return lapack.top_eigenvectors(matrix, count)


WAYS: dict[str, Callable[..., Vectors]] = {"LAPACK": by_lapack, "workflow": lanczos.top_eigenvectors}


def snapshot(top_eigenvectors: Callable[..., Vectors], case: Case) -> tuple[Vectors, Vectors]:
    """The vectors before and after, from a snapshot without label alignments by ``top_eigenvectors``."""
    count = eigenvectors(case)
    before = top_eigenvectors(symmetric(case.before), count)
    after = top_eigenvectors(symmetric(case.after), count, before)
    misalignments(before, after)
    return before, after


def eigenvectors(case: Case) -> int:
    """The number of eigenvectors that the alignments compare, from all eigenvalues of Θ̂."""
    return round(float(effective_rank(spectra_of(case.before).eigenvalues)))


def exact(case: Case, count: int) -> tuple[Vectors, Vectors]:
    """The eigenvectors in double precision."""
    pair = [np.linalg.eigh(symmetric(theta).astype(np.float64))[1] for theta in (case.before, case.after)]
    before, after = (vectors[:, ::-1][:, :count].T for vectors in pair)
    return before, after


def angle(found: Vectors, expected: Vectors) -> float:
    """The sine of the largest angle between the spaces of two sets of vectors."""
    basis = np.linalg.qr(found.astype(np.float64).T)[0].T
    return float(np.linalg.norm(basis - (basis @ expected.T) @ expected, 2))


def compare(case: Case, rounds: int) -> Row:
    """The table's row for one case."""
    calls = {name: partial(seconds, partial(snapshot, way, case)) for name, way in WAYS.items()}
    calls["eigenvalues"] = partial(seconds, partial(spectra_of, case.before))
    medians = {name: 1000 * statistics.median(times) for name, times in alternate(calls, rounds)}
    count = eigenvectors(case)
    row: Row = {"case": case.name, "vectors": count, **{f"{name}, ms": ms for name, ms in medians.items()}}
    row["ratio"] = medians["workflow"] / medians["LAPACK"]
    expected = exact(case, count)
    _, *rightly = misalignments(*expected)
    for name, way in WAYS.items():
        found = snapshot(way, case)
        row[f"angle, {name}"] = max(map(angle, found, expected))
        _, *measured = misalignments(*found)
        for form, own, right in zip(("sign-matched", "basis-free"), measured, rightly, strict=True):
            row[f"{form}, {name}"] = abs(own - right)
    return row


def seconds(call: Callable[[], Any]) -> float:
    """CPU seconds of ``call()``."""
    begin = time.process_time()
    call()
    return time.process_time() - begin


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args(argv)
    use_threads(1)
    rows = [compare(case, args.rounds) for case in cases()]
    show(rows)
    write_json(args.out, {"machine": machine(), "rounds": args.rounds, "snapshots": rows})


if __name__ == "__main__":
    main()
