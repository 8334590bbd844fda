"""Least squares with pair and year effects, and its refits without each province or city.

docs/methods: the estimator, its influence values and the deletion of provinces.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..influence.influence_fit import InfluenceFit, count_provinces, pilots_in_cells, sum_by_city
from ..influence.refits import (
    Refits,
    SampleSums,
    sum_sample,
    sums_without_cities,
    sums_without_provinces,
)
from ..influence.shock_weights import jackknife_df, province_positions
from ..linear.normal_equations import (
    Solution,
    influence,
    influence_weights,
    outcome_columns,
    outcome_weights,
    outcome_weights_by_year,
    solve,
)
from ..linear.pair_statistics import PairStatistics, pair_statistics
from ..linear.treatment_regressors import DESIGNS, Design, event_study_design, twfe_design
from ..panel.controls import drop_controls
from ..panel.pair_panel import FitSample, PairPanel, build_sample
from ..results import NotEstimable
from .fitted import Fitted, Inputs
from .registry import Estimator


def fit(estimator: Estimator, sample: FitSample, inputs: Inputs) -> Fitted:
    """Least squares on the design of that name; see `fit_least_squares`."""
    group_years, years = sample.group_years, sample.panel.years
    if estimator.name == "event_study":
        design = event_study_design(group_years, years, inputs.reference, inputs.binning)
    else:
        design = DESIGNS[estimator.name](group_years, years)
    return Fitted(
        sample, fit_least_squares(sample, inputs.statistics, design, inputs.control_names), design
    )


def fit_least_squares(
    sample: FitSample, statistics: PairStatistics, design: Design, control_names: tuple[str, ...]
) -> tuple[InfluenceFit, ...]:
    """Least squares with pair and year effects, one fit for each outcome of the sample.

    Parameters
    ----------
    sample : FitSample
    statistics : PairStatistics
    design : Design
    control_names : tuple of str, length K

    Returns
    -------
    tuple of InfluenceFit

    Raises
    ------
    NotEstimable
        If a coefficient with observed cells is not identified.
    """
    sums = sum_sample(sample, statistics.values)
    solution = solve(sums.totals[None], design.x, statistics)
    pilots = pilots_in_cells(sample, design)
    _check_identified(sample, design, control_names, solution.lost[0], pilots.any(axis=0))
    chosen = np.flatnonzero(pilots.any(axis=0))
    provinces = [None] * len(sample.outcomes)
    if sample.panel.province is not None:
        provinces = leave_out_provinces(sample, statistics, design, sums)
    cities = leave_out_cities(sample, statistics, design, sums)
    fits = []
    for m in range(len(sample.outcomes)):
        fit = _outcome_fit(
            sample,
            statistics,
            design,
            control_names,
            solution,
            m,
            chosen,
            pilots,
            (provinces[m], cities[m]),
        )
        if _is_balanced(sample, statistics):
            means, by_city = _balanced_means(statistics, design, solution.theta[0, m], m, sums)
            fit = replace(fit, cohort_means=means, city_residuals=by_city)
        else:
            fit = replace(
                fit, residuals=_residuals(sample, statistics, design, solution.theta[0, m], m)
            )
        fits.append(fit)
    return tuple(fits)


def leave_one_out(
    panel: PairPanel, outcome: int, tie_quantile: float | None = None
) -> dict[str, Refits]:
    """Refits of `twfe` without one city or province at a time; outcomes and the tie mask stay,
    effects are recomputed.

    Parameters
    ----------
    panel : PairPanel
    outcome : int
        Position of the outcome in the panel.
    tie_quantile : float, optional
        As in `estimation.fit.fit_outcomes`.

    Returns
    -------
    dict
        ``city`` and, with province codes, ``province``: Refits of one coefficient (R, 1), NaN where
        nothing identifies it any more.
    """
    names = () if panel.controls is None else tuple(map(str, range(len(panel.controls))))
    sample, *_ = drop_controls(build_sample(panel, (outcome,), tie_quantile), names)
    statistics = pair_statistics(panel.y[[outcome]], sample.panel.controls, sample.observed)
    design = twfe_design(sample.group_years, panel.years)
    sums = sum_sample(sample, statistics.values)
    found = {"city": leave_out_cities(sample, statistics, design, sums)[0]}
    if panel.province is not None:
        found["province"] = leave_out_provinces(sample, statistics, design, sums)[0]
    return {name: refits.take(np.array([0])) for name, refits in found.items()}


def leave_out_cities(
    sample: FitSample, statistics: PairStatistics, design: Design, sums: SampleSums
) -> list[Refits]:
    """Refits without each city that holds a kept pair, one `Refits` for each outcome; treatment
    coefficients first, then controls.
    """
    cities, deleted = sums_without_cities(sample, sums)
    return _refits(solve(deleted, design.x, statistics), cities, design, statistics)


def leave_out_provinces(
    sample: FitSample, statistics: PairStatistics, design: Design, sums: SampleSums
) -> list[Refits]:
    """Refits without each province: every pair with a city in it goes; z and the tie mask stay.

    A province whose deletion leaves no treated pair has no refit: it is one of the `carriers`.

    Parameters
    ----------
    sample : FitSample
        With provinces.
    statistics : PairStatistics
    design : Design
    sums : SampleSums
        Of these statistics.

    Returns
    -------
    list of Refits
        One for each outcome of the sample.
    """
    provinces, deleted, carriers = sums_without_provinces(sample, sums)
    # the whole sample comes last
    solution = solve(np.concatenate([deleted, sums.totals[None]]), design.x, statistics)
    weights = [
        outcome_weights(inverse, design.x, statistics.layout) for inverse in solution.inverse
    ]
    df = jackknife_df(
        sums.cities.first_columns(statistics.layout.gram_start),
        province_positions(sample, provinces),
        lambda b, rows, group: outcome_weights_by_year(*weights[b], rows, group, statistics),
    )
    return [
        replace(refits, carriers=carriers)
        for refits in _refits(solution, provinces, design, statistics, df)
    ]


def _outcome_fit(
    sample, statistics, design, control_names, solution, m, chosen, pilots, refits
) -> InfluenceFit:
    panel, kept, layout = sample.panel, sample.kept, statistics.layout
    theta, inverse = solution.theta[0, m], solution.inverse[0]
    n_treatment, k, t = len(design.event_times), layout.n_controls, layout.n_years
    columns = np.concatenate([chosen, n_treatment + np.arange(k)])
    scale = np.concatenate([np.ones(len(chosen)), statistics.control_scale])
    weights = influence_weights(theta, inverse, design.x, statistics)[:, :, columns]
    psi = influence(_of_outcome(statistics, kept, m), sample.pair_group[kept], weights) / scale
    estimate = np.concatenate([theta[t - 1 + k :][chosen], theta[t - 1 : t - 1 + k]]) / scale
    n_pilots = np.concatenate([pilots[:, chosen].sum(axis=0), np.full(k, pilots.any(axis=1).sum())])
    n_provinces = np.concatenate(
        [
            count_provinces(sample, pilots[:, chosen]),
            np.full(k, count_provinces(sample, pilots.any(axis=1)[:, None])),
        ]
    )
    provinces, cities = (None if r is None else r.take(columns) for r in refits)
    return InfluenceFit(
        tuple((design.term, None, design.event_times[c]) for c in chosen)
        + tuple((name, None, None) for name in control_names),
        tuple(design.labels[c] for c in chosen) + tuple(control_names),
        np.concatenate([chosen, np.full(k, -1)]),
        estimate,
        psi,
        sum_by_city(psi, panel.city_i[kept], panel.city_j[kept], panel.n_cities),
        n_pilots,
        n_provinces,
        provinces,
        cities,
        None,
    )


def _is_balanced(sample: FitSample, statistics: PairStatistics) -> bool:
    """Whether sums by city say all of the residuals: every year of every kept pair, without
    controls or weights.
    """
    return statistics.layout.n_controls == 0 and statistics.weight is None and sample.is_balanced


def _balanced_means(
    statistics: PairStatistics, design: Design, theta: np.ndarray, m: int, sums: SampleSums
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Pairs and mean outcomes less pair means by cohort group, and the mean residual of each city
    and year; from the sums alone.
    """
    layout, t = statistics.layout, statistics.layout.n_years
    own = slice(layout.shared + m * layout.per_outcome, layout.shared + m * layout.per_outcome + t)
    count = sums.totals[:, 0]
    with np.errstate(invalid="ignore"):
        means = sums.totals[:, own] / count[:, None]
    fitted = np.concatenate([[0.0], theta[: t - 1]]) + np.einsum(
        "gtl,l->gt", design.x, theta[t - 1 :]
    )
    fitted -= fitted.mean(axis=1, keepdims=True)
    pairs = sums.by_city[:, :, 0]
    rest = sums.by_city[:, :, own].sum(axis=1) - np.einsum("ng,gt->nt", pairs, fitted)
    with np.errstate(invalid="ignore"):
        return (np.rint(count).astype(np.int64), means), rest / pairs.sum(axis=1)[:, None]


def _of_outcome(statistics: PairStatistics, kept: np.ndarray, m: int) -> np.ndarray:
    """Statistics of the kept pairs and of one outcome; not copied where that is all of them."""
    values = statistics.values if kept.all() else statistics.values[kept]
    return (
        values
        if statistics.layout.n_outcomes == 1
        else values[:, outcome_columns(statistics.layout, m)]
    )


def _check_identified(
    sample: FitSample,
    design: Design,
    control_names: tuple[str, ...],
    lost: np.ndarray,
    observed: np.ndarray,
) -> None:
    start = len(sample.panel.years) - 1 + len(control_names)
    unidentified = lost[start:] & observed
    if not observed.any():
        raise NotEstimable(
            "no kept pair is observed after its admission: nothing to estimate; give later years "
            "or another cohort_year"
        )
    if unidentified.any():
        names = ", ".join(
            label for label, gone in zip(design.labels, unidentified, strict=True) if gone
        )
        raise NotEstimable(
            f"{design.estimator}: not identified beside the pair and year effects: {names}. "
            "Needed are untreated pairs in the same "
            "years, pairs observed before and after their admission and, for an event study, a "
            "cohort observed in the year before admission"
        )


def _residuals(
    sample: FitSample, statistics: PairStatistics, design: Design, theta: np.ndarray, m: int
) -> np.ndarray:
    layout, kept = statistics.layout, sample.kept
    t, k = layout.n_years, layout.n_controls
    observed, group = sample.observed[kept], sample.pair_group[kept]
    fitted = np.concatenate([[0.0], theta[: t - 1]]) + np.einsum(
        "gtl,l->gt", design.x, theta[t - 1 + k :]
    )
    values = statistics.values if kept.all() else statistics.values[kept]
    if statistics.weight is not None:
        values = values / statistics.weight[kept][:, None]
    start = layout.shared + m * layout.per_outcome
    rest = values[:, start : start + t]
    if k:
        controls = values[:, layout.control_start : layout.gram_start].reshape(len(values), t, k)
        rest = rest - np.einsum("ptk,k->pt", controls, theta[t - 1 : t - 1 + k])
    explained = np.where(observed, fitted[group], np.nan)
    explained -= np.nanmean(explained, axis=1, keepdims=True)
    return np.where(observed, rest - explained, np.nan)


def _refits(
    solution: Solution,
    blocks: np.ndarray,
    design: Design,
    statistics: PairStatistics,
    df: np.ndarray | None = None,
) -> list[Refits]:
    """One for each outcome, from the first solutions of a batch."""
    n, n_controls, n_years = len(blocks), statistics.layout.n_controls, statistics.layout.n_years
    start = n_years - 1 + n_controls
    columns = np.concatenate(
        [np.arange(start, start + len(design.event_times)), np.arange(n_years - 1, start)]
    )
    scale = np.concatenate([np.ones(len(design.event_times)), statistics.control_scale])
    refits = []
    for m in range(statistics.layout.n_outcomes):
        estimates = (
            np.where(solution.lost[:n, columns], np.nan, solution.theta[:n, m, columns]) / scale
        )
        refits.append(Refits(blocks, estimates, df))
    return refits
