"""A strategy for the labels of a pool or a training set."""

import numpy as np
from hypothesis import strategies as st
from jaxtyping import Int32


@st.composite
def label_arrays(draw: st.DrawFn) -> Int32[np.ndarray, " d"]:
    """Labels of one to five classes with 1 to 30 samples each, in any order."""
    counts = draw(st.lists(st.integers(1, 30), min_size=1, max_size=5))
    labels = np.repeat(np.arange(len(counts)), counts).astype(np.int32)
    return np.random.default_rng(draw(st.integers(0, 2**32))).permutation(labels)
