"""What a network's settings may be: plain names and numbers, for building it and for pricing it."""

# Scale, mode and distribution as `jax.nn.initializers.variance_scaling` has them.
INITIALISATIONS = {
    "lecun-normal": (1.0, "fan_in", "truncated_normal"),  # cut at two standard deviations
    "xavier-uniform": (1.0, "fan_avg", "uniform"),
    "he-uniform": (2.0, "fan_in", "uniform"),
}
POOLED = 2  # pixels a side, without overlap; an odd row or column at the edge is left out
