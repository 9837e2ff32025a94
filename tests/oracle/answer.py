"""Kernels by neural-tangents: `python answer.py questions.h5 answers.h5`, in its environment.

Questions are written by questions.py. The answer about a network has one dataset for each implementation of
the empirical NTK: (d·n, d·n), sample-major. The answer about a limit has the NTK for one output and the NNGP
kernel, both (d, d).
"""

import json
import sys
from typing import Any

import h5py
import jax
from ntklens.kernel.neural_tangents import flattened, import_neural_tangents

from tests.support.architectures import ARCHITECTURES, DIGITS

nt = import_neural_tangents()
IMPLEMENTATIONS = [implementation for implementation in nt.NtkImplementation if implementation.name != "AUTO"]


def main(questions_path: str, answers_path: str) -> None:
    # Arrays in single precision stay so: each has its own type.
    jax.config.update("jax_enable_x64", True)
    with h5py.File(questions_path) as questions, h5py.File(answers_path, "w") as answers:
        for name, question in questions.items():
            answer = answer_network if "network" in question.attrs else answer_limit
            answer(question, answers.create_group(name))


def answer_network(question: h5py.Group, answer: h5py.Group) -> None:
    model = {**ARCHITECTURES, **DIGITS}[question.attrs["network"]].model
    params, x = tree(question["parameters"]), question["x"][()]
    for implementation in IMPLEMENTATIONS:
        kernel_fn = nt.empirical_ntk_fn(model.apply, trace_axes=(), implementation=implementation)
        # Compiled as a whole, it takes a fraction of the time.
        kernel = jax.jit(lambda params, x, kernel_fn=kernel_fn: kernel_fn(x, None, params))(params, x)
        assert kernel.dtype == x.dtype
        answer[implementation.name] = flattened(kernel)


def tree(group: h5py.Group) -> dict[str, Any]:
    """The arrays under ``group``, in dictionaries that are nested as the groups are."""
    return {name: tree(item) if isinstance(item, h5py.Group) else item[()] for name, item in group.items()}


def answer_limit(question: h5py.Group, answer: h5py.Group) -> None:
    settings = json.loads(question.attrs["limit"])
    layers = []
    for width in settings["widths"]:
        layers += [nt.stax.Dense(width, **settings["layer"]), nt.stax.Relu()]
    *_, kernel_fn = nt.stax.serial(*layers, nt.stax.Dense(1, **settings["layer"]))
    kernel = kernel_fn(question["x"][()], None, ("ntk", "nngp"))
    answer["ntk"], answer["nngp"] = kernel.ntk, kernel.nngp


if __name__ == "__main__":
    main(*sys.argv[1:])
