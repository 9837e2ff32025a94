"""The functions of `spectrum.eigenvalues` for a kernel on an accelerator: only N eigenvalues leave it.

Both functions are compiled and compute the same as those of the same name there, which also raise errors.
"""

# JAX's functions are annotated in part.
# pyright: reportUnknownMemberType=false

from typing import TypeGuard, cast

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


def on_accelerator(theta: Array | np.ndarray) -> TypeGuard[Array]:
    """Whether ``theta`` is a JAX array in the memory of a device other than a CPU."""
    return isinstance(theta, jax.Array) and all(device.platform != "cpu" for device in theta.devices())


@jax.jit
def normalised(theta: Float[Array, "N N"]) -> Float[Array, "N N"]:
    """The normalised NTK Θ̂_ij = Θ_ij / √(Θ_ii Θ_jj); a row of zeros stays zero (App. B.3).

    A row whose diagonal entry is negative, so that ``theta`` is no kernel, is NaN.
    """
    diagonal = theta.diagonal()
    inverse = jnp.where(diagonal == 0, 0, 1 / jnp.sqrt(diagonal))
    return theta * inverse[:, None] * inverse[None, :]


@jax.jit
def eigenvalues(matrix: Float[Array, "N N"]) -> Float[Array, " N"]:
    """Eigenvalues of a symmetric ``matrix``, ascending. Only the lower triangle is read.

    If it has an entry that is not finite, all eigenvalues are NaN.
    """
    finite = jnp.isfinite(jnp.tril(matrix)).all()
    # Some solvers never end on NaN. Symmetrising, JAX's default, would read the upper triangle.
    lower = jnp.where(finite, matrix, 0)
    values = cast(Array, jnp.linalg.eigvalsh(lower, UPLO="L", symmetrize_input=False))
    return jnp.where(finite, values, jnp.nan)
