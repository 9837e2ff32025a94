"""The functions of `spectrum.eigenvalues` for a kernel on an accelerator, which only N eigenvalues leave.

Both functions are compiled and keep to the contracts of those of the same name there.
"""

import jax
import jax.numpy as jnp


def on_accelerator(theta):
    """Whether ``theta`` is a JAX array that does not lie in a CPU's memory."""
    return isinstance(theta, jax.Array) and all(device.platform != "cpu" for device in theta.devices())


@jax.jit
def normalised(theta):
    """Θ̂_ij = Θ_ij / √(Θ_ii Θ_jj), (N, N), where a row of zeros stays zero (App. B.3)."""
    scale = jnp.sqrt(jnp.diagonal(theta))
    inverse = jnp.where(scale > 0, 1 / scale, 0)
    return theta * inverse[:, None] * inverse[None, :]


@jax.jit
def eigenvalues(matrix):
    """Eigenvalues (N,), ascending, of a symmetric ``matrix`` (N, N), of which the lower triangle is read.

    NaN throughout where that has an entry that is not finite.
    """
    finite = jnp.isfinite(jnp.tril(matrix)).all()
    # Some solvers never end on NaN. Symmetrising, JAX's default, would read the upper triangle.
    values = jnp.linalg.eigvalsh(jnp.where(finite, matrix, 0), UPLO="L", symmetrize_input=False)
    return jnp.where(finite, values, jnp.nan)
