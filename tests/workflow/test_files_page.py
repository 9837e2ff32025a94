"""The Python blocks of docs/files.md run, from top to bottom, on the results of the smoke config."""

from typing import Any

import numpy as np
import pytest
from ntklens import effective_rank, read_run
from ntklens.storage.averages import read_averages

from tests.support.pages import blocks
from tests.support.repositories import ROOT, Repository

PAGE = ROOT / "docs" / "files.md"
CURVE = "model-scaling/digits/three-layer"
# What the page says of the default config's results -> the same of the smoke config's.
OF_SMOKE = {
    "results/laptop/": "results/smoke/",
    "/mnist-5k/": "/digits/",
    "seeds-0-4": "seeds-0-1",
    "seed-0003": "seed-0001",
    "range(5)": "range(2)",
    "[16, 64]": "[8, 32]",
    "64": "32",
}


def on_smoke(code: str) -> str:
    for said, here in OF_SMOKE.items():
        code = code.replace(said, here)
    return code


def test_blocks_run_and_print_what_the_files_hold(
    finished: Repository, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = blocks(PAGE, "python")
    assert all(any(said in code for code in page) for said in OF_SMOKE)
    monkeypatch.chdir(finished.folder)
    seed = read_run(f"results/smoke/runs/{CURVE}/width-32/seeds-0-1.h5")[1]
    ranks = [point.along["effective_rank"] for point in read_averages(f"results/smoke/averages/{CURVE}.h5")]
    found: dict[str, Any] = {}
    printed = []
    for code in page:
        exec(on_smoke(code), found)
        printed.append(capsys.readouterr().out)
    assert len(printed) == 3
    by_xarray, by_h5py, of_averages = printed

    assert float(by_xarray.splitlines()[0]) == seed.spectrum.eigenvalues[-1, 0, -1]
    assert found["trace"].dims == ("width", "seed", "epoch")
    own = found["trace"].sel(width=32, seed=1).dropna("epoch")
    np.testing.assert_array_equal(own, seed.ntk_trace)
    np.testing.assert_array_equal(found["traces"], seed.layer_traces[:, seed.layers.index("output")])

    assert by_h5py == f"32 ok {seed.minimum.epoch}\n"
    np.testing.assert_array_equal(found["ranks"], effective_rank(seed.spectrum.eigenvalues))

    lines = [line.split() for line in of_averages.splitlines()]
    assert [int(scale) for scale, *_ in lines] == [8, 16, 32]
    for (_, epoch, mean, _, error), rank in zip(lines, ranks, strict=True):
        assert int(epoch) == rank.epoch[-1]
        assert (float(mean), float(error)) == (rank.mean[-1], rank.error[-1])
