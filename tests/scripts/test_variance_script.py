"""The script of the table of variance components, on made-up run files of two training draws."""

import csv
from pathlib import Path
from typing import Any

import pytest
from ntklens.analysis.settings import AveragingSettings, CurvesOfDraws, VarianceSettings
from ntklens.storage.curve import Curve
from ntklens.storage.errors import FileError
from ntklens.storage.run_writer import write_run
from ntklens.storage.settings import as_json, settings_sha256

from tests.support.drawn_runs import ROWS, run
from tests.support.origins import origin
from workflow.scripts import variance_components

CURVES = (Curve("draw-0", "digits", "three-layer"), Curve("draw-1", "digits", "three-layer"))
POINTS = {"width-8": 8, "width-16": 16}


def settings_of(curve: Curve, scale: int) -> dict[str, Any]:
    return {"curve": curve._asdict(), "scale": scale}


GROUP = CurvesOfDraws(
    "Digits, three-layer",
    tuple(
        AveragingSettings(
            curve,
            POINTS,
            {point: settings_sha256(settings_of(curve, scale)) for point, scale in POINTS.items()},
            seeds=3,
            min_members=1,
            window=None,
        )
        for curve in CURVES
    ),
)


def write(folder: Path, curve: Curve, point: str, scale: int, losses: dict[int, float]) -> list[str]:
    """Two run files of one point, the first with a single seed."""
    paths = []
    for seeds in ([0], [seed for seed in losses if seed]):
        path = folder.joinpath(*curve, point, f"seeds-{seeds[0]}-{seeds[-1]}.h5")
        path.parent.mkdir(parents=True, exist_ok=True)
        trajectories = [run(seed, losses[seed]) for seed in seeds]
        write_run(path, trajectories, origin("run", settings_of(curve, scale), seeds=seeds, ntk_rows=ROWS))
        paths.append(str(path))
    return paths


def runs(folder: Path) -> list[str]:
    """The test loss is 10, and the seed's number, and at width 16 alone four times the draw's number."""
    return [
        path
        for number, curve in enumerate(CURVES)
        for point, scale in POINTS.items()
        for path in write(
            folder, curve, point, scale, {seed: 10.0 + seed + 4 * number * (scale == 16) for seed in range(3)}
        )
    ]


def call(files: list[str], out: Path) -> list[dict[str, str]]:
    settings = as_json(VarianceSettings((GROUP,), 100))
    variance_components.main(["--runs", *files, "--settings", settings, "--out", str(out)])
    return list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))


def test_each_run_file_counts_for_its_draw_and_its_scale(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = call(runs(tmp_path), tmp_path / "table.csv")
    losses = [row for row in rows if row["quantity"] == "test_loss"]
    found = {(row["scale"], row["term"]): float(row["value"]) * float(row["mean"]) for row in losses}
    assert found["8", "training draw"] == pytest.approx(0, abs=1e-7)
    assert found["16", "training draw"] == pytest.approx(8**0.5)
    assert [found[scale, "initialisation"] for scale in ("8", "16")] == pytest.approx([1, 1])
    assert "Digits, three-layer" in (tmp_path / "table.md").read_text(encoding="utf-8")
    assert "width-16: 2 training draws of 3 seeds, 2 NTK draws" in capsys.readouterr().err


def test_a_run_file_in_the_place_of_another_is_named(tmp_path: Path) -> None:
    files = runs(tmp_path)
    Path(files[-1]).write_bytes(Path(files[0]).read_bytes())
    with pytest.raises(FileError, match=f"{files[-1]} is not the file that belongs there"):
        call(files, tmp_path / "table.csv")
    assert not (tmp_path / "table.csv").exists()


def test_a_draw_without_runs_is_said(tmp_path: Path) -> None:
    files = [file for file in runs(tmp_path) if "draw-1" not in file]
    with pytest.raises(FileError, match="no run file of width-8 holds the seeds 0, 1, 2"):
        call(files, tmp_path / "table.csv")


def test_without_several_draws_the_script_says_so(tmp_path: Path) -> None:
    settings = as_json(VarianceSettings(groups=(), simulations=10))
    with pytest.raises(SystemExit, match="the config has no studies that differ in their draw_seed alone"):
        variance_components.main(["--runs", "--settings", settings, "--out", str(tmp_path / "table.csv")])
    assert not list(tmp_path.iterdir())
