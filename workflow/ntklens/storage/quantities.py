"""Every quantity that the workflow measures: its name, symbol, unit and meaning, each written down once.

A name is the HDF5 dataset's and the key under which Python holds the values. What HDF5 files say about a
dataset, how figures label their axes, and the table in docs/files.md all follow from here.
"""

from typing import NamedTuple


class Quantity(NamedTuple):
    """``label`` names the quantity on an axis, ``symbol`` is its formula sign, in LaTeX's mathematics."""

    description: str
    unit: str = "1"
    label: str = ""
    symbol: str = ""

    @property
    def axis_label(self):
        return f"{self.label} ${self.symbol}$" if self.symbol else self.label


# Along training, at the epochs at which a recipe evaluates losses.
CURVES = {
    "train_loss": Quantity(
        "mean cross-entropy of the training samples", "nat", "Train loss", r"\mathcal{L}_\mathrm{train}"
    ),
    "test_loss": Quantity("mean cross-entropy of the test samples", "nat", "Test loss", r"\mathcal{L}"),
    "train_accuracy": Quantity(
        "share of the training samples that are classified correctly", label="Train accuracy"
    ),
    "test_accuracy": Quantity(
        "share of the test samples that are classified correctly", label="Test accuracy"
    ),
}

# Of one NTK and its change by one update of the parameters (App. E.3).
ALIGNMENTS = {
    "label_alignment": Quantity("alignment of the NTK with vec(Y)vec(Y)ᵀ, Y the one-hot labels (Eq. 16)"),
    "summed_label_alignment": Quantity("alignment of the NTK summed over outputs with YYᵀ (Eq. 16)"),
    "misalignment_as_printed": Quantity(
        "misalignment of the NTK's top eigenvectors by one update, with the solver's signs (Eq. 17)"
    ),
    "misalignment_sign_matched": Quantity(
        "misalignment of the NTK's top eigenvectors by one update, with matching signs"
    ),
    "misalignment_basis_free": Quantity(
        "misalignment by one update of the spaces that the NTK's top eigenvectors span"
    ),
}

QUANTITIES = {
    "epoch": Quantity("passes over the training samples so far", "epoch", "Epoch"),
    **CURVES,
    "log_train_loss": Quantity("natural logarithm of train_loss"),
    "ntk_trace": Quantity("trace of the NTK, undivided", label="NTK trace", symbol=r"\mathrm{Tr}(\Theta)"),
    "eigenvalues": Quantity("eigenvalues of the normalised NTK, ascending"),
    "ntk_eigenvalues": Quantity("eigenvalues of the NTK itself, ascending"),
    "effective_rank": Quantity(
        "effective rank of the normalised NTK (Eq. 3)", label="Effective rank", symbol=r"\Gamma(\Theta)"
    ),
    **ALIGNMENTS,
    "initial_trace": Quantity(
        "trace of the NTK at epoch 0", label="Initial NTK trace", symbol=r"\mathrm{Tr}(\Theta_0)"
    ),
    "trace_ratio": Quantity(
        "(Tr Θ_min − Tr Θ_0) / Tr Θ_0, from the trace at a seed's least test loss and at epoch 0 (Eq. 5)",
        label="Trace ratio",
        symbol=r"\beta",
    ),
    "adaptation_rate": Quantity(
        "−δ Tr Θ / δ log L_train along training (Eq. 4), negated to be positive",
        label="Adaptation rate",
        symbol=r"-\chi(\Theta)",
    ),
    "train_indices": Quantity("rows of the pool that the seed trained on"),
    "copied_from": Quantity("row of the training set that each of its images is, or is a noisy copy of"),
    "seeds": Quantity("seeds that were averaged"),
}
