"""The reading of the paper's figure 3: where a straight line through some of the points meets a plateau.

The paper draws straight lines over log-log axes and calls the width where the trend changes the transition
(§5). This is that reading as a rule, so that the paper's widths are compared with like: an unweighted line
through the half of the scales on which the quantity follows a power law, and a plateau at the value of the
outermost scale on the other side. It is no fit of a law to all points: of a smooth bend it finds another
width than a law does, and one that depends on the range of the scales.
"""

import numpy as np
from jaxtyping import Float

from ntklens.analysis.fitting import fit_power_laws
from ntklens.analysis.records import Side

FLAT = 1e-9  # a line that changes less along its scales has a slope of rounding errors, and meets nothing
FEWEST = 4  # scales: two for the line, and a plateau beyond the next


def by_eye(
    log_x: Float[np.ndarray, " points"], log_y: Float[np.ndarray, "rows points"], line_on: Side
) -> tuple[Float[np.ndarray, " rows"], Float[np.ndarray, " rows"]]:
    """The slope of the line and the log scale where it meets the plateau, for each row.

    Γ has its line on the narrow side and the plateau at the widest network, β the other way round. The
    meeting point is infinite where it lies beyond the scales, and NaN where the line is flat. Raises
    ValueError for fewer than four scales.
    """
    if len(log_x) < FEWEST:
        raise ValueError(f"{len(log_x)} scales are too few for a line and a plateau ({FEWEST} needed)")
    half = len(log_x) // 2
    on_line = slice(0, half) if line_on == "narrow" else slice(len(log_x) - half, None)
    plateau = log_y[:, -1] if line_on == "narrow" else log_y[:, 0]
    line = fit_power_laws(log_x[on_line], log_y[:, on_line], np.ones(half))
    with np.errstate(all="ignore"):
        meeting = (plateau - line.log_amplitude) / line.exponent
    meeting = np.where(meeting < log_x[0], -np.inf, np.where(meeting > log_x[-1], np.inf, meeting))
    flat = np.abs(line.exponent) * np.ptp(log_x[on_line]) < FLAT
    return line.exponent, np.where(flat, np.nan, meeting)
