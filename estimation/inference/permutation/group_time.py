"""Studentised city permutation of the estimators of group-time effects, on a balanced panel without controls."""

from __future__ import annotations

import numpy as np

from ...linear.group_time_cells import Cells, build_cells, cell_terms
from ...linear.pair_statistics import PairStatistics
from ...panel.pair_panel import Sample
from .two_way import Draws, assignments, kernel_data, run_in_chunks

POSITION = {"callaway_santanna": 0, "sun_abraham": 1, "borusyak": 2, "etwfe": 2, "gardner": 3}


def draws_are_affordable(sample: Sample) -> bool:
    """Whether every candidate pair has every year, without controls or chosen partners: a draw then needs cohort means only."""
    return sample.panel.controls is None and sample.n_partners is None and bool(sample.observed[sample.candidate].all())


def permute_group_time(
    sample: Sample,
    statistics: PairStatistics,
    estimators: tuple[str, ...],
    strata: np.ndarray,
    n_draws: int,
    seed: int,
    leads: dict[str, np.ndarray],
) -> dict[tuple[str, int], Draws]:
    """Refit estimators of group-time effects under reassigned admissions; the sample rule is applied anew in each draw.

    Parameters
    ----------
    sample : Sample
        For which `draws_are_affordable`, with pairs treated in every year.
    statistics : PairStatistics
        Of all pairs of the panel.
    estimators : tuple of str
    strata : (N,) int array
    n_draws, seed : int
    leads : dict
        By estimator, positions of the coefficients of the joint test among all terms of its cells.

    Returns
    -------
    dict
        Draws by (estimator, position of the outcome in the sample), columns as the terms of all cells.
    """
    from ...kernels import group_time as kernel  # importing numba takes as long as a small fit

    labels, is_enumeration = assignments(sample, strata, n_draws, seed)
    layout, years = statistics.layout, sample.panel.years
    cells = {rule: build_cells(sample.group_years, years, rule) for rule in ("varying", "fixed", "treated")}
    varying = _differences(cells["varying"], sample, leads.get("callaway_santanna"))
    fixed = _differences(cells["fixed"], sample, leads.get("sun_abraham"))
    imputed, sizes = _imputation(cells["treated"], sample), [varying[3], fixed[3]]
    sizes += [imputed[2], imputed[2]]
    wanted = np.array([any(POSITION[name] in family for name in estimators) for family in ((0,), (1,), (2, 3))])
    shape = (len(labels), 4, layout.n_outcomes)
    coefficient, statistic, joint = (
        np.full((*shape, max(sizes)), np.nan),
        np.full((*shape, max(sizes)), np.nan),
        np.full((*shape, 1), np.nan),
    )
    offsets = layout.shared + layout.per_outcome * np.arange(layout.n_outcomes)
    inputs = (*kernel_data(sample, statistics), sample.n_groups, varying, fixed, imputed, wanted, offsets)
    run_in_chunks(
        len(labels),
        lambda part: kernel.run_group_time_draws(labels[part], *inputs, coefficient[part], statistic[part], joint[part]),
    )
    result = {}
    for name in estimators:
        k = POSITION[name]
        for m in range(layout.n_outcomes):
            columns = (coefficient[:, k, m, : sizes[k]], statistic[:, k, m, : sizes[k]], joint[:, k, m, 0])
            result[name, m] = Draws(*columns, is_enumeration)
    return result


def _differences(cells: Cells, sample: Sample, leads: np.ndarray | None) -> tuple:
    terms = cell_terms(cells, sample.group_years, True)
    first_cell = len(terms) - len(cells)
    events = np.unique(cells.event_time)
    places = np.column_stack(
        [np.where(cells.event_time >= 0, 0, -1), 1 + np.searchsorted(events, cells.event_time), first_cell + np.arange(len(cells))]
    )
    chosen = np.zeros(0, dtype=np.int64) if leads is None else np.asarray(leads, dtype=np.int64)
    return np.column_stack([cells.group, cells.year, cells.base]), places, chosen, len(terms)


def _imputation(cells: Cells, sample: Sample) -> tuple:
    years = sample.panel.years
    start = np.concatenate([[len(years)], np.searchsorted(years, sample.group_years)])
    event = np.zeros((sample.n_groups, len(years)), dtype=np.int64)
    events = np.unique(cells.event_time)
    event[cells.group, cells.year] = 1 + np.searchsorted(events, cells.event_time)
    return start, event, 1 + len(events)
