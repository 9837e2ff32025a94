"""A training script that is asked to use a GPU where there is none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ntklens.planning.config import load
from ntklens.planning.curves import curves
from ntklens.planning.settings import calibration_settings, training_settings
from ntklens.storage.settings import as_json

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("script", ["train.py", "calibrate.py"])
def test_script_fails_where_it_finds_no_gpu(script, tmp_path):
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho No devices were found\n", encoding="utf-8")
    (tmp_path / "nvidia-smi").chmod(0o755)
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("CUDA_", "SLURM_"))},
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "workflow"),
    }
    out = tmp_path / "run.h5"
    command = [sys.executable, str(ROOT / "workflow/scripts" / script), "--gpus", "1", "--out", str(out)]
    config = load(yaml.safe_load((ROOT / "config/smoke.yaml").read_text(encoding="utf-8")))
    curve = curves(config, "data-scaling")[0]
    calibration, training = calibration_settings(config, curve), training_settings(config, curve, 60)
    settings = calibration if script == "calibrate.py" else training
    command += ["--subset", "none.h5", "--settings", as_json(settings)]
    command += [] if script == "calibrate.py" else ["--seeds", "0", "1", "--learning-rates", "none.h5"]
    result = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8")
    assert result.returncode == 1
    assert "nvidia-smi lists no GPU (No devices were found)" in result.stderr
    assert "set device: cpu" in result.stderr
    assert not out.exists()
