"""The number of threads, tested in a separate process since XLA reads its settings only once."""

import os
import subprocess
import sys
from pathlib import Path

WORKFLOW = str(Path(__file__).parents[2] / "workflow")


def test_one_thread_for_everything():
    program = (
        "import os; from ntklens.machine.threads import use_threads; use_threads(1);"
        "print(os.environ['NPROC'], os.environ['XLA_FLAGS'])"
    )
    environment = {**os.environ, "PYTHONPATH": WORKFLOW, "XLA_FLAGS": "--xla_cpu_enable_fast_math=false"}
    result = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, encoding="utf-8"
    )
    assert result.stdout.split() == [
        "1",
        "--xla_cpu_enable_fast_math=false",
        "--xla_cpu_multi_thread_eigen=false",
    ]
