"""Settings of the tests that run in this process."""

import jax

# Most of their time is compiling programs that run once.
jax.config.update("jax_disable_most_optimizations", True)
