"""The top eigenvectors of a kernel by the block Lanczos method, faster than LAPACK where few are needed.

The method (Golub & Underwood, 1977) builds an orthonormal basis of span{X, ΘX, Θ²X, …}, where X is a block of
random vectors, and takes the eigenvectors of Θ restricted to that space (Rayleigh and Ritz). Every new block
is orthogonalised against the whole basis. Eigenvectors are accepted when rounding errors explain their
residuals ‖Θv − λv‖; otherwise the basis grows. LAPACK takes over if it grows to half of the rows, or if an
eigenvalue may be repeated so often that the method misses some of its eigenvectors.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ntklens.spectrum import lapack

BLOCK = 16  # vectors multiplied at once; the method finds at most so many eigenvectors of one eigenvalue
LARGEST_SHARE = 6  # LAPACK is as fast from a sixth of all eigenvectors on
# The vectors in the basis when an NTK's top eigenvectors have usually converged, as a · count + b: from a
# random block, and from the eigenvectors of the NTK one update earlier.
FIRST_CHECK = (2.7, 80)
FIRST_CHECK_NEAR = (2.4, 80)
GROWTH = 2 * BLOCK  # vectors between two checks
TOLERANCE = (2, 14)  # of a residual, in rounding errors of the largest eigenvalue and of its own
FRESH = 0.1  # share of random directions in a block that starts from known vectors

Known = Float[np.ndarray, "known N"]
Basis = Float[np.ndarray, "m N"]
Block = Float[np.ndarray, "b N"]


class Ritz(NamedTuple):
    """Approximate eigenvectors, one per row, the eigenvalues, and the norms of their residuals."""

    vectors: Float[np.ndarray, "k N"]
    values: Float[np.ndarray, " k"]
    residuals: Float[np.ndarray, " k"]


def top_eigenvectors(
    matrix: Float[np.ndarray, "N N"], count: int, near: Known | None = None
) -> Float[np.ndarray, "{count} N"]:
    """Eigenvectors of the ``count`` largest eigenvalues of ``matrix``, the largest first, one per row.

    ``matrix`` is finite, symmetric in both triangles, and has no negative eigenvalue but for rounding errors.
    ``near`` are the top eigenvectors of a similar matrix, from which these are found sooner. The vectors'
    length is one, and the largest of their components is positive: so the vectors of similar matrices have
    the same signs, whichever method finds them. Raises as `lapack.top_eigenvectors`, which computes the
    vectors where they are many.
    """
    found = None
    if 1 <= count <= len(matrix) // LARGEST_SHARE and _first_check(count, near) <= len(matrix) // 2:
        found = _by_lanczos(matrix, count, near)
    return _signed(lapack.top_eigenvectors(matrix, count) if found is None else found)


def _signed(vectors: Float[np.ndarray, "k N"]) -> Float[np.ndarray, "k N"]:
    """``vectors`` with signs that make the largest component of each, by magnitude, positive."""
    largest = np.abs(vectors).argmax(axis=1)[:, None]
    return np.where(np.take_along_axis(vectors, largest, axis=1) < 0, -vectors, vectors)


def _first_check(count: int, near: Known | None) -> int:
    """The vectors in the basis when ``count`` eigenvectors are first computed, in whole blocks."""
    slope, offset = FIRST_CHECK if near is None else FIRST_CHECK_NEAR
    return -(-round(slope * count + offset) // BLOCK) * BLOCK


def _by_lanczos(
    matrix: Float[np.ndarray, "N N"], count: int, near: Known | None
) -> Float[np.ndarray, "{count} N"] | None:
    """`top_eigenvectors`, or None where the method does not reach them."""
    rows, check, rng = len(matrix), _first_check(count, near), np.random.default_rng(0)
    basis = np.empty((rows // 2, rows), matrix.dtype)
    images = np.empty_like(basis)  # Θ times each vector of the basis
    block = _orthonormal(_start(rng, matrix, near))
    size = 0
    while block is not None and size + BLOCK <= len(basis):
        new = slice(size, size + BLOCK)
        basis[new] = block
        np.matmul(basis[new], matrix, out=images[new])
        size += BLOCK
        if size >= check:
            found, check = _ritz(basis[:size], images[:size], count), size + GROWTH
            if _converged(found) and _complete(found):
                return found.vectors
        block = _next_block(basis[:size], images[new])
    return None


def _start(rng: np.random.Generator, matrix: Float[np.ndarray, "N N"], near: Known | None) -> Block:
    """A first block: random, or mostly random combinations of the vectors ``near``.

    A part is random in any case: otherwise eigenvectors that are orthogonal to all of ``near`` stay out.
    """
    random = rng.standard_normal((BLOCK, len(matrix)), dtype=matrix.dtype.type)
    if near is None:
        return random
    # In each direction, a unit vector's share of `random` is 1 / √N of its length.
    combined = rng.standard_normal((BLOCK, len(near)), dtype=matrix.dtype.type) @ near
    return combined + FRESH * np.sqrt(len(near) / len(matrix), dtype=matrix.dtype) * random


def _next_block(basis: Basis, image: Block) -> Block | None:
    """The next block of a basis whose last block has the ``image``; None if the space is invariant."""
    # A Krylov space's image is orthogonal to all but its last two blocks, up to rounding errors; these are
    # removed once the block has length one, in a second pass over the whole basis.
    block = _orthonormal(_without(image, basis[-2 * BLOCK :]))
    return None if block is None else _orthonormal(_without(block, basis))


def _without(block: Block, basis: Basis) -> Block:
    """``block`` without its components in the space of the orthonormal ``basis``."""
    return block - (block @ basis.T) @ basis


def _orthonormal(block: Block) -> Block | None:
    """An orthonormal basis of the span of ``block``'s rows; None if they are linearly dependent.

    By Cholesky's decomposition of their products, in double precision.
    """
    double = block.astype(np.float64)
    try:
        factor = np.linalg.cholesky(double @ double.T)
        return (np.linalg.inv(factor) @ double).astype(block.dtype)
    except np.linalg.LinAlgError:
        return None


def _ritz(basis: Basis, images: Basis, count: int) -> Ritz:
    """The top ``count`` eigenpairs of Θ restricted to the space of ``basis``."""
    restricted = basis @ images.T
    weights = lapack.top_eigenvectors(restricted, count)
    values = np.einsum("ki,ki->k", weights @ restricted, weights)
    vectors, residuals = weights @ basis, weights @ images
    residuals -= values[:, None] * vectors
    return Ritz(vectors, values, np.sqrt(np.einsum("kn,kn->k", residuals, residuals)))


def _converged(found: Ritz) -> bool:
    """Whether rounding errors explain the residuals."""
    return bool((found.residuals <= _rounding(found)).all())


def _complete(found: Ritz) -> bool:
    """Whether no eigenvalue is repeated, within errors, as often as a block has vectors.

    If none is, none is missed.
    """
    spread = found.values[: 1 - BLOCK] - found.values[BLOCK - 1 :]
    return bool((spread > 2 * _rounding(found)[: 1 - BLOCK]).all())


def _rounding(found: Ritz) -> Float[np.ndarray, " k"]:
    """The largest residuals that rounding errors explain."""
    of_largest, of_own = TOLERANCE
    return np.finfo(found.values.dtype).eps * (of_largest * found.values[0] + of_own * np.abs(found.values))
