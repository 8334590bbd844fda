"""Permutation of admissions where a pair is treated once both its cities are: every draw adds the
pairs up anew.

The compiled loops of `two_way` move the pairs of single pilots between groups, which only serves
exposure to one. Here a draw costs a pass over all pairs, so it suits panels of hundreds or
thousands of them.
"""

from __future__ import annotations

import numpy as np

from ...influence.influence_fit import sum_by_city
from ...linear.normal_equations import influence, influence_weights, outcome_columns, solve
from ...linear.pair_statistics import PairStatistics, sum_by_group
from ...linear.treatment_regressors import Design
from ...panel.pair_panel import FitSample
from .assignments import draw_or_enumerate
from .draws import Draws, run_in_chunks


def permute_by_refitting(
    sample: FitSample,
    statistics: PairStatistics,
    designs: list[Design],
    strata: np.ndarray,
    n_draws: int,
    seed: int,
) -> dict[tuple[str, int], Draws]:
    """Refit every design and outcome under reassigned admissions of cities.

    Parameters
    ----------
    sample : FitSample
        Of exposure ``both``, without a rule of ties.
    statistics : PairStatistics
        Of all pairs of the panel.
    designs : list of Design
    strata : (N,) int array
        Labels move only within a stratum.
    n_draws, seed : int
        All relabellings are enumerated instead when there are fewer than n_draws.

    Returns
    -------
    dict
        Draws by (estimator, position of the outcome in the sample); `joint` is NaN throughout.
    """
    labels, is_enumeration = draw_or_enumerate(sample.city_group, strata, n_draws, seed)
    n_outcomes, shape = statistics.layout.n_outcomes, len(labels)
    found = {
        (design.estimator, m): Draws(
            np.full((shape, len(design.event_times)), np.nan),
            np.full((shape, len(design.event_times)), np.nan),
            np.full(shape, np.nan),
            is_enumeration,
        )
        for design in designs
        for m in range(n_outcomes)
    }

    def run(part: slice) -> None:
        for draw in range(part.start, part.stop):
            _refit(sample, statistics, designs, labels[draw], draw, found)

    run_in_chunks(len(labels), run)
    return found


def _refit(
    sample: FitSample,
    statistics: PairStatistics,
    designs: list[Design],
    label: np.ndarray,
    draw: int,
    found: dict[tuple[str, int], Draws],
) -> None:
    panel, pairs = sample.panel, np.flatnonzero(sample.candidate)
    i, j = panel.city_i[pairs], panel.city_j[pairs]
    # groups ascend with their years, so the later of two admissions is the larger label
    group = np.where((label[i] > 0) & (label[j] > 0), np.maximum(label[i], label[j]), 0)
    values, layout = statistics.values[pairs], statistics.layout
    totals = sum_by_group(values, group, sample.n_groups)
    for design in designs:
        solution = solve(totals[None], design.x, statistics)
        n_treatment, start = len(design.event_times), layout.n_years - 1 + layout.n_controls
        lost = solution.lost[0, start:]
        for m in range(layout.n_outcomes):
            weights = influence_weights(
                solution.theta[0, m], solution.inverse[0], design.x, statistics
            )[:, :, :n_treatment]
            psi = influence(values[:, outcome_columns(layout, m)], group, weights)
            score = (sum_by_city(psi, i, j, panel.n_cities) ** 2).sum(axis=0)
            estimate = solution.theta[0, m, start:]
            defined = ~lost & (score > 0)
            of_outcome = found[design.estimator, m]
            of_outcome.coefficient[draw, defined] = estimate[defined]
            of_outcome.statistic[draw, defined] = np.abs(estimate[defined]) / np.sqrt(
                score[defined]
            )
