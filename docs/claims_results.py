"""The results in docs/claims-*.csv, and how pages write them; shared by the scripts in this folder.

The CSV files are copies of results/{name}/tables/paper-comparison.csv.
"""

import csv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Name of the config: what its results are of. Columns and rows of tables have this order.
CONFIGS = {
    "full-scale": (
        "at the paper's scale, twenty seeds; on modified CIFAR five, of its convolutional network one"
        " (`config/full-scale.yaml`)"
    ),
    "laptop": "5,000 MNIST digits and the 8×8 digits, five seeds (`config/config.yaml`)",
}

Row = dict[str, str]


def results() -> dict[str, list[Row]]:
    """The rows of each config's table whose results are in docs/."""
    paths = {name: ROOT / "docs" / f"claims-{name}.csv" for name in CONFIGS}
    return {
        name: list(csv.DictReader(path.read_text("utf-8").splitlines()))
        for name, path in paths.items()
        if path.exists()
    }


def number(row: Row) -> str:
    """A result with its interval, if it has one."""
    if not row["low"]:
        return f"{short(float(row['ours']))}, without an interval".replace("-", "−")
    ours, low, high = (short(float(row[key])) for key in ("ours", "low", "high"))
    return f"{ours} [{low}, {high}]".replace("-", "−")


def short(value: float) -> str:
    """Three digits; rounding errors, such as of a slope of constants, are 0."""
    return "0" if abs(value) < 1e-9 else f"{value:.3g}".replace("inf", "∞")
