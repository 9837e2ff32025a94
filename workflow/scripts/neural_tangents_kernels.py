"""Compute the NTKs of a run file's saved parameters with neural-tangents, in its own environment.

None of our code for the NTK, networks or spectra is used: the network is written out below, and
neural-tangents takes the derivatives. Everything is in double precision; ours is in single.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import jax
import numpy as np
from ntklens.data.settings import ImageSize
from ntklens.data.subsets import read_subset
from ntklens.data.training_sets import sized
from ntklens.kernel.neural_tangents import flattened, import_neural_tangents
from ntklens.machine.rule_script import run_script
from ntklens.machine.threads import use_threads
from ntklens.storage.files import FilePath
from ntklens.storage.hdf5 import add_dataset, add_group, get_group, groups_in, read_arrays
from ntklens.storage.provenance import provenance
from ntklens.storage.records import new_record, opened, origin_of

Layer = dict[str, np.ndarray]  # "kernel" (inputs, outputs) and, with biases, "bias" (outputs,)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="file written by train")
    parser.add_argument("--subset", required=True, help="file written by subsample")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--made-with", help="digest of the settings of the run file; by default any")
    parser.add_argument("--out", required=True)
    args = parser.parse_args(argv)
    use_threads(args.threads)
    jax.config.update("jax_enable_x64", True)
    compute(args.run, args.subset, args.made_with, args.out)


def compute(run: FilePath, subset_path: FilePath, made_with: str | None, out: FilePath) -> None:
    """Write the NTKs of the parameters in the file ``run`` to ``out``."""
    parameters = saved_parameters(run, made_with)
    if not parameters:
        sys.exit(f"{run} holds no parameters to verify: training.save_parameters is 0")
    settings = origin_of(run)["settings"]
    samples = settings["measurement"]["ntk_samples"]
    size = settings["data"]["image_size"]
    subset = sized(read_subset(subset_path, settings["subset"]), size and ImageSize(**size))
    images = subset.test_images[:samples].astype(np.float64)
    nt = import_neural_tangents()
    packages = ["neural-tangents", "jax", "numpy"]
    origin = provenance("neural-tangents' kernels", settings, [run, subset_path], packages)
    with new_record(out, "NTKs at the minimum by neural-tangents, one group for each seed", origin) as file:
        factors = kernel_factors(settings["network"], next(iter(parameters.values())))
        for seed, layers in parameters.items():
            theta = np.asarray(kernel(nt, layers, factors, images))
            group = add_group(file, seed, "one seed, at the minimum of its test loss")
            add_dataset(group, "ntk", theta, "the NTK; row i·n + k is output k of sample i")
            add_dataset(group, "ntk_trace", np.trace(theta), "trace of the NTK, not averaged over its rows")
            add_dataset(
                group, "effective_rank", effective_rank(theta), "effective rank of the normalised NTK"
            )


def saved_parameters(path: FilePath, made_with: str | None = None) -> dict[str, list[Layer]]:
    """The layers from input to output of each seed whose parameters the run file ``path`` holds."""
    parameters: dict[str, list[Layer]] = {}
    with opened(path, "run", made_with) as file:
        for seed, group in groups_in(file).items():
            if "minimum/parameters" in group:
                layers = get_group(group, "minimum/parameters")
                names = [*(f"hidden_{number}" for number in range(1, len(layers))), "output"]
                parameters[seed] = [_in_double(read_arrays(get_group(layers, name))) for name in names]
    return parameters


def _in_double(arrays: Mapping[str, np.ndarray]) -> Layer:
    return {name: values.astype(np.float64) for name, values in arrays.items()}


def kernel_factors(network: Mapping[str, Any], layers: Sequence[Layer]) -> list[float]:
    """The factor of each layer's kernel: its initial standard deviation in the NTK parametrisation, or 1."""
    if network["parametrisation"] == "standard":
        return [1.0] * len(layers)
    variance = {
        "lecun-normal": lambda fan_in, _: 1 / fan_in,
        "xavier-uniform": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
        "he-uniform": lambda fan_in, _: 2 / fan_in,
    }[network["initialisation"]]
    return [float(np.sqrt(variance(*layer["kernel"].shape))) for layer in layers]


def network(layers: Sequence[Mapping[str, Any]], factors: Sequence[float], x: Any) -> Any:
    """The outputs (d, n) of a dense ReLU network on the samples ``x`` (d, n₀)."""
    for number, (layer, factor) in enumerate(zip(layers, factors, strict=True), start=1):
        x = factor * (x @ layer["kernel"]) + layer.get("bias", 0.0)
        x = jax.numpy.maximum(x, 0) if number < len(layers) else x
    return x


def kernel(
    nt: ModuleType, layers: Sequence[Layer], factors: Sequence[float], images: np.ndarray
) -> jax.Array:
    """The NTK (d·n, d·n), not averaged over outputs, as neural-tangents does by default."""
    # The only implementation whose memory does not grow as the number of parameters times that of rows.
    implementation = nt.NtkImplementation.STRUCTURED_DERIVATIVES
    kernel_fn = nt.empirical_ntk_fn(
        lambda layers, x: network(layers, factors, x),
        trace_axes=(),
        vmap_axes=0,
        implementation=implementation,
    )
    return flattened(jax.jit(lambda images, layers: kernel_fn(images, None, layers))(images, layers))


def effective_rank(theta: np.ndarray) -> float:
    """exp(−Σ p ln p), p the eigenvalues of Θ_ij / √(Θ_ii Θ_jj), clipped at 1e-14, over their sum."""
    norms = np.sqrt(np.diagonal(theta))
    norms = np.where(norms > 0, norms, 1)
    spectrum = np.maximum(np.linalg.eigvalsh(theta / norms / norms[:, None]), 1e-14)
    return float(np.exp(-np.sum(spectrum / spectrum.sum() * np.log(spectrum / spectrum.sum()))))


if __name__ == "__main__":
    run_script(main, minutes=None)
