"""Every measure that a claim can name."""

from ntklens.analysis.measures.along_training import (
    adaptation_late_over_early,
    change,
    falling_share,
    initial_misalignment,
    largest_fall,
    last_over_first,
    peak_over_initial_rank,
)
from ntklens.analysis.measures.of_laws import (
    bend_by_eye,
    entropy_agreement,
    first_slope,
    last_slope,
    mistral_over_transition,
    rank_bend_over_trace_ratio_bend,
    slope,
    slope_by_eye,
    trace_ratio_bend,
)
from ntklens.analysis.measures.of_noise import (
    accuracy_lost_to_noise,
    least_over_initial_rank,
    least_train_accuracy,
    rise_lost_to_noise,
)
from ntklens.analysis.measures.results import Measure

MEASURES: dict[str, Measure] = {
    measure.__name__: measure
    for measure in (
        slope,
        first_slope,
        last_slope,
        slope_by_eye,
        bend_by_eye,
        trace_ratio_bend,
        rank_bend_over_trace_ratio_bend,
        mistral_over_transition,
        entropy_agreement,
        largest_fall,
        falling_share,
        peak_over_initial_rank,
        initial_misalignment,
        last_over_first,
        change,
        adaptation_late_over_early,
        least_over_initial_rank,
        rise_lost_to_noise,
        least_train_accuracy,
        accuracy_lost_to_noise,
    )
}
