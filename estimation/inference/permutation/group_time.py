"""Studentised city permutation of the estimators of group-time effects, on a balanced panel without
controls.
"""

from __future__ import annotations

import numpy as np

from ...kernels.records import CellTerms, GroupTimeModels, ImputationTerms
from ...linear.group_time_cells import Cells, build_cells, cell_terms, comparison_groups
from ...linear.pair_statistics import PairStatistics
from ...panel.pair_panel import FitSample
from .assignments import draw_or_enumerate
from .draws import Draws, run_in_chunks
from .kernel_inputs import base_sums, empty_results, pairs_by_rank, part_of, tie_rule

# the family of models that gives an estimator's draws, as `kernels.group_time` numbers them
POSITION = {"callaway_santanna": 0, "sun_abraham": 1, "borusyak": 2, "etwfe": 2, "gardner": 3}


def draws_are_affordable(sample: FitSample) -> bool:
    """Whether every candidate pair has every year, without controls or chosen partners: a draw then
    needs cohort means only.
    """
    return (
        sample.panel.controls is None
        and sample.n_partners is None
        and bool(sample.observed[sample.candidate].all())
    )


def permute_group_time(
    sample: FitSample,
    statistics: PairStatistics,
    estimators: tuple[str, ...],
    strata: np.ndarray,
    n_draws: int,
    seed: int,
    leads: dict[str, np.ndarray],
) -> dict[tuple[str, int], Draws]:
    """Refit estimators of group-time effects under reassigned admissions; the sample rule is
    applied anew in each draw.

    Parameters
    ----------
    sample : FitSample
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
        Draws by (estimator, position of the outcome in the sample), columns as the terms of all
        cells.
    """
    from ...kernels.group_time import (
        run_group_time_draws,
    )  # importing numba takes as long as a small fit

    labels, is_enumeration = draw_or_enumerate(sample.city_group, strata, n_draws, seed)
    layout, models = statistics.layout, _models(sample, estimators, leads)
    sizes = (
        models.varying.n_terms,
        models.fixed.n_terms,
        models.imputed.n_terms,
        models.imputed.n_terms,
    )
    shape = (len(labels), len(sizes), layout.n_outcomes)
    results = empty_results(shape, max(sizes), (*shape, 1))
    offsets = layout.shared + layout.per_outcome * np.arange(layout.n_outcomes)
    pairs, rule = pairs_by_rank(sample, statistics), tie_rule(sample)
    inputs = (pairs, rule, base_sums(sample, pairs, rule), sample.n_groups, models, offsets)
    run_in_chunks(
        len(labels),
        lambda part: run_group_time_draws(labels[part], *inputs, part_of(results, part)),
    )
    found = {}
    for name in estimators:
        k = POSITION[name]
        for m in range(layout.n_outcomes):
            columns = (
                results.coefficient[:, k, m, : sizes[k]],
                results.statistic[:, k, m, : sizes[k]],
                results.joint[:, k, m, 0],
            )
            found[name, m] = Draws(*columns, is_enumeration)
    return found


def _models(
    sample: FitSample, estimators: tuple[str, ...], leads: dict[str, np.ndarray]
) -> GroupTimeModels:
    """The models of all estimators, and which of them are asked for."""
    cells = {
        rule: build_cells(sample.group_years, sample.panel.years, rule)
        for rule in ("varying", "fixed", "treated")
    }
    varying = _cell_terms(
        cells["varying"], sample, sample.control_pairs, leads.get("callaway_santanna")
    )
    fixed = _cell_terms(cells["fixed"], sample, "never_treated", leads.get("sun_abraham"))
    wanted = np.array(
        [any(POSITION[name] in family for name in estimators) for family in ((0,), (1,), (2, 3))]
    )
    return GroupTimeModels(varying, fixed, _imputation_terms(cells["treated"], sample), wanted)


def _cell_terms(
    cells: Cells, sample: FitSample, control_pairs: str, leads: np.ndarray | None
) -> CellTerms:
    """Each cell with its places among the terms: the overall one first, then event times, then the
    cells themselves.
    """
    terms = cell_terms(cells, sample.group_years, True)
    first_cell = len(terms) - len(cells)
    events = np.unique(cells.event_time)
    places = np.column_stack(
        [
            np.where(cells.event_time >= 0, 0, -1),
            1 + np.searchsorted(events, cells.event_time),
            first_cell + np.arange(len(cells)),
        ]
    )
    chosen = np.zeros(0, dtype=np.int64) if leads is None else np.asarray(leads, dtype=np.int64)
    group, year, base = (
        np.ascontiguousarray(part, dtype=np.int64) for part in (cells.group, cells.year, cells.base)
    )
    against = comparison_groups(cells, sample.group_years, sample.panel.years, control_pairs)
    return CellTerms(group, year, base, against, places, chosen, len(terms))


def _imputation_terms(cells: Cells, sample: FitSample) -> ImputationTerms:
    """The overall term first, then event times."""
    years = sample.panel.years
    start = np.concatenate([[len(years)], np.searchsorted(years, sample.group_years)])
    event = np.zeros((sample.n_groups, len(years)), dtype=np.int64)
    events = np.unique(cells.event_time)
    event[cells.group, cells.year] = 1 + np.searchsorted(events, cells.event_time)
    return ImputationTerms(start, event, 1 + len(events))
