"""Every quantity that the workflow measures: its name, symbol, unit and meaning, each written down once.

The name is that of the HDF5 dataset and the key of the values in Python. The descriptions in HDF5 files, the
labels of the figures' axes and the table in docs/files.md all come from this table.
"""

from typing import NamedTuple


class Quantity(NamedTuple):
    """``label`` names the quantity on an axis; ``symbol`` is its symbol in LaTeX's math mode."""

    description: str
    unit: str = "1"
    label: str = ""
    symbol: str = ""

    @property
    def axis_label(self) -> str:
        """Label and symbol, as far as there are any."""
        return f"{self.label} ${self.symbol}$" if self.symbol else self.label


# Curves along training. Those of the test samples have epochs of their own.
TRAIN_CURVES: dict[str, Quantity] = {
    "train_loss": Quantity(
        "mean cross-entropy of the training samples", "nat", "Train loss", r"\mathcal{L}_\mathrm{train}"
    ),
    "train_accuracy": Quantity(
        "fraction of the training samples that are classified correctly", label="Train accuracy"
    ),
}
TEST_CURVES: dict[str, Quantity] = {
    "test_loss": Quantity("mean cross-entropy of the test samples", "nat", "Test loss", r"\mathcal{L}"),
    "test_accuracy": Quantity(
        "fraction of the test samples that are classified correctly", label="Test accuracy"
    ),
}
CURVES = TRAIN_CURVES | TEST_CURVES

# Alignments of an NTK with the labels, and with the NTK after one more update of the parameters (App. E.3).
ALIGNMENTS: dict[str, Quantity] = {
    "label_alignment": Quantity("alignment of the NTK with vec(Y)vec(Y)ᵀ, Y the one-hot labels (Eq. 16)"),
    "summed_label_alignment": Quantity("alignment of the NTK summed over outputs with YYᵀ (Eq. 16)"),
    "misalignment_as_printed": Quantity(
        "misalignment of the NTK's top eigenvectors after one update, largest components positive (Eq. 17)"
    ),
    "misalignment_sign_matched": Quantity(
        "misalignment of the NTK's top eigenvectors after one update, with matching signs"
    ),
    "misalignment_basis_free": Quantity(
        "misalignment of the subspace that the NTK's top eigenvectors span, after one update"
    ),
}

# The loss–network–position decomposition of ‖∇L‖² on the NTK samples (arXiv 2605.31244).
LOSS_POSITION: dict[str, Quantity] = {
    "loss_susceptibility": Quantity(
        "‖g‖², g the gradient of the NTK samples' mean cross-entropy with respect to their outputs",
        label="Loss susceptibility",
        symbol=r"\chi_\mathrm{loss}",
    ),
    "spectral_position": Quantity(
        "gᵀΘg / (‖g‖² Tr Θ), where in the NTK's spectrum the gradient g lies",
        label="Spectral position",
        symbol=r"g^\top\Theta g / \Vert g\Vert^2\,\mathrm{Tr}(\Theta)",
    ),
}

# At initialisation and at the minimum: by layer, in the order of the layers, then of the weighted NTK.
OF_ENDS: dict[str, Quantity] = {
    "layer_traces": Quantity(
        "share of each layer's parameters in the trace of the NTK",
        label="Trace of a layer",
        symbol=r"\mathrm{Tr}(\Theta_l)",
    ),
    "bias_traces": Quantity("share of each layer's bias in the trace of the NTK"),
    "conjugate_ranks": Quantity(
        "effective rank of the normalised conjugate kernel of each layer's input (Eq. 10)",
        label="Conjugate kernel's rank",
        symbol=r"\Gamma(C_{l-1})",
    ),
    "sensitivity_ranks": Quantity(
        "effective rank of the normalised sensitivity kernel of each layer (Eq. 13)",
        label="Sensitivity's rank",
        symbol=r"\Gamma(\Sigma_l)",
    ),
    "weighted_trace": Quantity(
        "trace of the NTK with each kernel's share times its initial variance and no biases' share",
        label="Weighted NTK trace",
        symbol=r"\mathrm{Tr}(\Theta^w)",
    ),
    "weighted_effective_rank": Quantity(
        "effective rank of the normalised NTK, weighted as for weighted_trace",
        label="Weighted effective rank",
        symbol=r"\Gamma(\Theta^w)",
    ),
}
# Between the minimum of a seed's test loss and its initialisation.
DISTANCES: dict[str, Quantity] = {
    "kernel_change": Quantity(
        "‖Θ_min − Θ_0‖_F / ‖Θ_0‖_F",
        label="Change of the NTK",
        symbol=r"\Vert\Theta_\mathrm{min} - \Theta_0\Vert / \Vert\Theta_0\Vert",
    ),
    "kernel_cosine_distance": Quantity(
        "1 − ⟨Θ_min, Θ_0⟩_F / (‖Θ_min‖_F ‖Θ_0‖_F)",
        label="Turn of the NTK",
        symbol=r"1 - \cos(\Theta_0, \Theta_\mathrm{min})",
    ),
    "parameter_change": Quantity(
        "‖θ_min − θ_0‖ / ‖θ_0‖ over all parameters",
        label="Change of the parameters",
        symbol=r"\Vert\theta_\mathrm{min} - \theta_0\Vert / \Vert\theta_0\Vert",
    ),
    "linearised_test_loss": Quantity(
        "test loss at θ_min of the network linearised at θ_0",
        "nat",
        "Linearised test loss",
        r"\mathcal{L}_\mathrm{lin}",
    ),
}

# Positions along the axes of other datasets, beside the epochs.
AXES: dict[str, Quantity] = {
    "draw": Quantity("number of a draw of NTK samples", label="Draw"),
    "eigenvalue_index": Quantity(
        "number of an eigenvalue in ascending order", label="Index of the eigenvalue"
    ),
    "layer": Quantity("name of a layer"),
    "seed": Quantity("number of a seed", label="Seed"),
    "train_sample": Quantity("number of a training sample", label="Training sample"),
}

QUANTITIES: dict[str, Quantity] = {
    "epoch": Quantity("passes over the training samples so far", "epoch", "Epoch"),
    "train_epoch": Quantity("epochs at which the training samples were evaluated", "epoch", "Epoch"),
    "test_epoch": Quantity("epochs at which the test samples were evaluated", "epoch", "Epoch"),
    **CURVES,
    "log_train_loss": Quantity("natural logarithm of train_loss"),
    "ntk_trace": Quantity(
        "trace of the NTK, not averaged over its rows",
        label="NTK trace",
        symbol=r"\mathrm{Tr}(\Theta)",
    ),
    "eigenvalues": Quantity("eigenvalues of the normalised NTK, ascending", label="Eigenvalue"),
    "ntk_eigenvalues": Quantity("eigenvalues of the NTK itself, ascending", label="Eigenvalue of the NTK"),
    "effective_rank": Quantity(
        "effective rank of the normalised NTK (Eq. 3)", label="Effective rank", symbol=r"\Gamma(\Theta)"
    ),
    **LOSS_POSITION,
    **OF_ENDS,
    **DISTANCES,
    **ALIGNMENTS,
    "initial_trace": Quantity(
        "trace of the NTK at epoch 0", label="Initial NTK trace", symbol=r"\mathrm{Tr}(\Theta_0)"
    ),
    "trace_ratio": Quantity(
        "(Tr Θ_min − Tr Θ_0) / Tr Θ_0, at a seed's minimum of the test loss and at epoch 0 (Eq. 5)",
        label="Trace ratio",
        symbol=r"\beta",
    ),
    "adaptation_rate": Quantity(
        "−δ Tr Θ / δ log L_train along training (Eq. 4), positive while the trace grows as the loss falls",
        label="Adaptation rate",
        symbol=r"-\chi(\Theta)",
    ),
    "train_indices": Quantity("rows of the pool that the seed trained on"),
    "copied_from": Quantity("row of the image that each training image is a noisy copy of, or its own row"),
    "seeds": Quantity("seeds that were averaged"),
    **AXES,
}
