#!/usr/bin/env bash
# Snakemake runs this in the environment of neural-tangents.yaml: a package installed without its
# dependencies (they would bring TensorFlow, see ntklens/kernel/neural_tangents.py) is nothing that a yaml can say.
# The path, because `python` can be that of a virtual environment activated before.
set -euo pipefail
"$CONDA_PREFIX/bin/python" -m pip install --no-deps neural-tangents==0.6.5
