"""Compute the NTKs of a run file's saved parameters with neural-tangents, in its own environment.

Nothing of our NTK, networks or spectra is used: the network is written out below, and the
derivatives are neural-tangents'. All in double precision, where ours are in single.
"""

import argparse
import json
import sys

import h5py
import jax
import numpy as np
from ntklens.data.settings import ImageSize
from ntklens.data.subsets import read_subset
from ntklens.data.training_sets import sized
from ntklens.kernel.neural_tangents import flattened, import_neural_tangents
from ntklens.machine.threads import use_threads
from ntklens.storage.hdf5 import add_dataset, add_group, new_file


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="file written by train")
    parser.add_argument("--subset", required=True, help="file written by subsample")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", required=True)
    args = parser.parse_args(argv)
    use_threads(args.threads)
    jax.config.update("jax_enable_x64", True)
    parameters = saved_parameters(args.run)
    if not parameters:
        sys.exit(f"{args.run} holds no parameters to verify: training.save_parameters is 0")
    settings = settings_of(args.run)
    samples = settings["measurement"]["ntk_samples"]
    size = settings["data"]["image_size"]
    subset = sized(read_subset(args.subset), size and ImageSize(**size))
    images = np.float64(subset.test_images[:samples])
    nt = import_neural_tangents()
    with new_file(args.out, "NTKs at the minimum by neural-tangents, a group a seed") as file:
        file.attrs["neural_tangents"] = nt.__version__
        file.attrs["jax"] = jax.__version__
        factors = kernel_factors(settings["network"], next(iter(parameters.values())))
        for seed, layers in parameters.items():
            theta = np.asarray(kernel(nt, layers, factors, images))
            group = add_group(file, seed, "one seed, where its test loss is least")
            add_dataset(group, "ntk", theta, "the NTK, row i·n + k is output k of sample i")
            add_dataset(group, "ntk_trace", np.trace(theta), "trace of the NTK, undivided")
            add_dataset(group, "effective_rank", effective_rank(theta), "of the normalised NTK")


def saved_parameters(path):
    """Seed -> [(kernel, bias), …] from input to output, for the seeds that have kept theirs."""
    parameters = {}
    with h5py.File(path) as file:
        for seed in file:
            layers = file[seed].get("minimum/parameters")
            if layers is not None:
                hidden = [f"hidden_{number}" for number in range(1, len(layers))]
                parameters[seed] = [
                    {part: np.float64(values) for part, values in layers[name].items()}
                    for name in [*hidden, "output"]
                ]
    return parameters


def settings_of(path):
    """The settings of the job that wrote the run file ``path``."""
    with h5py.File(path) as file:
        return json.loads(file.attrs["settings"])


def kernel_factors(network, layers):
    """What each layer multiplies its kernel by: its initial standard deviation in the NTK parametrisation."""
    if network["parametrisation"] == "standard":
        return [1.0] * len(layers)
    variance = {
        "lecun-normal": lambda fan_in, _: 1 / fan_in,
        "xavier-uniform": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
        "he-uniform": lambda fan_in, _: 2 / fan_in,
    }[network["initialisation"]]
    return [float(np.sqrt(variance(*layer["kernel"].shape))) for layer in layers]


def network(layers, factors, x):
    for number, (layer, factor) in enumerate(zip(layers, factors, strict=True), start=1):
        x = factor * (x @ layer["kernel"]) + layer.get("bias", 0.0)
        x = jax.numpy.maximum(x, 0) if number < len(layers) else x
    return x


def kernel(nt, layers, factors, images):
    """The NTK (d·n, d·n). Never averaged over outputs, which neural-tangents does by default."""
    # The one implementation whose memory does not grow with the number of parameters times rows.
    implementation = nt.NtkImplementation.STRUCTURED_DERIVATIVES
    kernel_fn = nt.empirical_ntk_fn(
        lambda layers, x: network(layers, factors, x),
        trace_axes=(),
        vmap_axes=0,
        implementation=implementation,
    )
    return flattened(jax.jit(lambda images, layers: kernel_fn(images, None, layers))(images, layers))


def effective_rank(theta):
    """exp of the entropy of the shares of Θ_ij / √(Θ_ii Θ_jj)'s eigenvalues, clipped at 1e-14."""
    norms = np.sqrt(np.diagonal(theta))
    norms = np.where(norms > 0, norms, 1)
    spectrum = np.maximum(np.linalg.eigvalsh(theta / norms / norms[:, None]), 1e-14)
    return np.exp(-np.sum(spectrum / spectrum.sum() * np.log(spectrum / spectrum.sum())))


if __name__ == "__main__":
    main()
