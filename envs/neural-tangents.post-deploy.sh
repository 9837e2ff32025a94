#!/usr/bin/env bash
# Snakemake runs this in the environment of neural-tangents.yaml, because an environment file cannot say that a package
# is installed without its dependencies: they include TensorFlow (see ntklens/kernel/neural_tangents.py).
# The full path, because `python` may belong to a virtual environment that was activated before.
set -euo pipefail
"$CONDA_PREFIX/bin/python" -m pip install --no-deps neural-tangents==0.6.5
