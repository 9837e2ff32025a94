"""Figure 1: trace, adaptation rate and effective rank of the NTK against the train loss."""

import matplotlib.pyplot as plt
import numpy as np

from ntklens.ensemble import read_ensembles
from ntklens.figures.style import (
    COLUMN,
    NAMES,
    RC,
    band,
    draw_band,
    label_panel,
    plain_ticks,
    scale_colours,
)
from ntklens.files import read_json

TRAIN_LOSS = "Train loss"
COLUMNS = {  # study -> title, symbol of the scale, name of the scale
    "model-scaling": ("Model scaling", "m", "Model width"),
    "data-scaling": ("Data scaling", "D", "Dataset size"),
}
ROWS = (
    ("trace", r"NTK trace $\mathrm{Tr}(\Theta)$"),
    ("adaptation rate", r"Adaptation rate $-\chi(\Theta)$"),
    ("effective rank", r"Effective rank $\Gamma(\Theta)$"),
)


def collect(curves):
    """The content of figure 1. ``curves``: study -> (dataset, ensembles file, adaptation-rate file).

    Every curve runs from the initial state to the minimum of the mean test loss, at equal epochs;
    its x is exp⟨log train loss⟩.
    """
    panels = []
    data = {
        study: (dataset, read_ensembles(ensembles), read_json(rates)["points"])
        for study, (dataset, ensembles, rates) in curves.items()
    }
    for quantity, ylabel in ROWS:
        for study, (dataset, ensembles, rates) in data.items():
            title, symbol, _ = COLUMNS[study]
            panels.append(
                {
                    "title": f"{title}, {NAMES.get(dataset, dataset)}: {quantity}",
                    "heading": f"{title}, {NAMES.get(dataset, dataset)}",
                    "study": study,
                    "quantity": quantity,
                    "xlabel": TRAIN_LOSS,
                    "ylabel": ylabel,
                    "series": [
                        {
                            "label": f"{symbol} = {ensemble.scale}",
                            "scale": ensemble.scale,
                            **_SERIES[quantity](ensemble, rate),
                        }
                        for ensemble, rate in zip(ensembles, rates, strict=True)
                    ],
                }
            )
    return {"figure": "1", "panels": panels, "fits": []}


def _trace(ensemble, _):
    shown = ensemble.trace_epoch <= ensemble.mean_minimum_epoch
    return {
        "x": _train_loss(ensemble, ensemble.trace_epoch[shown]),
        **band(ensemble.ntk_trace[shown], ensemble.ntk_trace_error[shown]),
    }


def _adaptation_rate(ensemble, rate):
    shown = np.array(rate["epoch"]) <= ensemble.mean_minimum_epoch
    return {
        "x": np.array(rate["train_loss"])[shown].tolist(),
        **band(-np.array(rate["adaptation_rate"])[shown], None),
    }


def _effective_rank(ensemble, _):
    shown = ensemble.spectrum_epoch <= ensemble.mean_minimum_epoch
    return {
        "x": _train_loss(ensemble, ensemble.spectrum_epoch[shown]),
        **band(ensemble.effective_rank[shown], ensemble.effective_rank_error[shown]),
    }


_SERIES = {
    "trace": _trace,
    "adaptation rate": _adaptation_rate,
    "effective rank": _effective_rank,
}


def _train_loss(ensemble, epochs):
    return np.exp(ensemble.log_train_loss[epochs]).tolist()


def draw(content):
    """Draw the content of figure 1: a row a quantity, a column a study."""
    studies = list(dict.fromkeys(panel["study"] for panel in content["panels"]))
    with plt.rc_context(RC):
        figure, grid = plt.subplots(
            len(ROWS),
            len(studies),
            figsize=(COLUMN * len(studies), 6.6),
            sharex="col",
            squeeze=False,
        )
        for letter, axes, panel in zip("abcdef", grid.flat, content["panels"], strict=False):
            colour, _ = scale_colours([series["scale"] for series in panel["series"]])
            for series in panel["series"]:
                draw_band(axes, series, color=colour(series["scale"]))
            axes.set_xscale("log")
            plain_ticks(axes.xaxis)
            axes.set_ylabel(panel["ylabel"])
            label_panel(axes, letter)
        for column, study in enumerate(studies):
            _, _, name = COLUMNS[study]
            grid[0, column].set_title(content["panels"][column]["heading"])
            grid[0, column].invert_xaxis()  # training reads from left to right
            grid[-1, column].set_xlabel(TRAIN_LOSS)
            scales = [series["scale"] for series in content["panels"][column]["series"]]
            bar = figure.colorbar(
                scale_colours(scales)[1],
                ax=grid[:, column],
                location="bottom",
                label=name,
                aspect=40,
                pad=0.02,
            )
            bar.set_ticks(scales[:: 1 + (len(scales) > 8)])
            bar.set_ticks([], minor=True)
            bar.ax.xaxis.set_major_formatter("{x:.0f}")
    return figure
