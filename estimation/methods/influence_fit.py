"""A fitted estimator as its influence values by pair: the form that every line of inference reads.

An estimator plugs in by giving an `InfluenceFit` for each outcome; least squares with pair and year effects does so here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from estimation.methods.designs import Design
from estimation.methods.inference import sum_by_city
from estimation.methods.jackknife import Refits, leave_out_cities, leave_out_provinces
from estimation.methods.least_squares import influence, influence_weights, outcome_columns, solve
from estimation.methods.panel_data import Sample
from estimation.methods.results import NotEstimable
from estimation.methods.sufficient import PairStatistics, sum_by_group


@dataclass(frozen=True)
class InfluenceFit:
    """Coefficients of one outcome with everything that inference needs; C coefficients, treatment first, then controls.

    Attributes
    ----------
    terms : tuple of (term, cohort_year, event_time), length C
    labels : tuple of str, length C
        Texts for diagnostics.
    columns : (C,) int array
        Positions in the refits and draws; -1 for controls, which are not permuted.
    estimate : (C,) float array
    psi : (P_kept, C) float array
        Total influence of each kept pair: estimate - truth is about the sum over pairs.
    city_sums : (N, C) float array
        Sum of psi over the pairs that contain a city.
    n_pilots, n_pilot_provinces : (C,) int arrays
        Pilots observed in the cells of a coefficient, and their provinces (0 without codes).
    provinces : Refits or None
        Coefficients without each province.
    cities : Refits
        Coefficients without each city.
    residuals : (P_kept, T) float array
        NaN where there is no row.
    """

    terms: tuple[tuple[str, int | None, int | None], ...]
    labels: tuple[str, ...]
    columns: np.ndarray
    estimate: np.ndarray
    psi: np.ndarray
    city_sums: np.ndarray
    n_pilots: np.ndarray
    n_pilot_provinces: np.ndarray
    provinces: Refits | None
    cities: Refits
    residuals: np.ndarray


def fit_least_squares(
    sample: Sample, statistics: PairStatistics, design: Design, control_names: tuple[str, ...]
) -> tuple[InfluenceFit, ...]:
    """Least squares with pair and year effects, one fit an outcome of the sample.

    Parameters
    ----------
    sample : Sample
    statistics : PairStatistics
    design : Design
    control_names : tuple of str, length K

    Returns
    -------
    tuple of InfluenceFit

    Raises
    ------
    NotEstimable
        If a coefficient with observed cells, or a control, is not identified.
    """
    kept = sample.kept
    totals = sum_by_group(statistics.values[kept], sample.pair_group[kept], sample.n_groups)
    solution = solve(totals[None], design.x, statistics)
    pilots = pilots_in_cells(sample, design)
    _check_identified(sample, design, control_names, solution.lost[0], pilots.any(axis=0))
    chosen = np.flatnonzero(pilots.any(axis=0))
    provinces = [None] * len(sample.outcomes) if sample.panel.province is None else leave_out_provinces(sample, statistics, design)
    cities = leave_out_cities(sample, statistics, design)
    fits = []
    for m in range(len(sample.outcomes)):
        fits.append(_outcome_fit(sample, statistics, design, control_names, solution, m, chosen, pilots, (provinces[m], cities[m])))
    return tuple(fits)


def _outcome_fit(sample, statistics, design, control_names, solution, m, chosen, pilots, refits) -> InfluenceFit:
    panel, kept, layout = sample.panel, sample.kept, statistics.layout
    theta, inverse = solution.theta[0, m], solution.inverse[0]
    n_treatment, k, t = len(design.event_times), layout.n_controls, layout.n_years
    columns = np.concatenate([chosen, n_treatment + np.arange(k)])
    scale = np.concatenate([np.ones(len(chosen)), statistics.control_scale])
    weights = influence_weights(theta, inverse, design.x, statistics)[:, :, columns]
    psi = influence(statistics.values[kept][:, outcome_columns(layout, m)], sample.pair_group[kept], weights) / scale
    estimate = np.concatenate([theta[t - 1 + k :][chosen], theta[t - 1 : t - 1 + k]]) / scale
    n_pilots = np.concatenate([pilots[:, chosen].sum(axis=0), np.full(k, pilots.any(axis=1).sum())])
    n_provinces = np.concatenate(
        [count_provinces(sample, pilots[:, chosen]), np.full(k, count_provinces(sample, pilots.any(axis=1)[:, None]))]
    )
    provinces, cities = (None if r is None else r.take(columns) for r in refits)
    return InfluenceFit(
        tuple((design.term, None, design.event_times[c]) for c in chosen) + tuple((name, None, None) for name in control_names),
        tuple(design.labels[c] for c in chosen) + tuple(control_names),
        np.concatenate([chosen, np.full(k, -1)]),
        estimate,
        psi,
        sum_by_city(psi, panel.city_i[kept], panel.city_j[kept], panel.n_cities),
        n_pilots,
        n_provinces,
        provinces,
        cities,
        _residuals(sample, statistics, design, theta, m),
    )


def pilots_in_cells(sample: Sample, design: Design) -> np.ndarray:
    """Whether a pilot is observed in the cells of each coefficient, in a kept pair; shape (N, L) bool."""
    panel = sample.panel
    treated = np.flatnonzero(sample.kept & (sample.pair_group > 0))
    in_cells = np.zeros((len(treated), len(design.event_times)), dtype=bool)
    for row, pair in enumerate(treated):
        in_cells[row] = (design.x[sample.pair_group[pair]][sample.observed[pair]] != 0).any(axis=0)
    i, j = panel.city_i[treated], panel.city_j[treated]
    pilot = np.where(panel.city_cohort[i] > 0, i, j)
    result = np.zeros((panel.n_cities, len(design.event_times)), dtype=bool)
    np.logical_or.at(result, pilot, in_cells)
    return result


def count_provinces(sample: Sample, pilots: np.ndarray) -> np.ndarray:
    """Provinces of the pilots of each coefficient, given as (N, C) bool; shape (C,), zero without codes."""
    if sample.panel.province is None:
        return np.zeros(pilots.shape[1], dtype=np.int64)
    return np.array([len(np.unique(sample.panel.province[column])) for column in pilots.T], dtype=np.int64)


def _check_identified(sample: Sample, design: Design, control_names: tuple[str, ...], lost: np.ndarray, observed: np.ndarray) -> None:
    n_years, k = len(sample.panel.years), len(control_names)
    for name, gone in zip(control_names, lost[n_years - 1 : n_years - 1 + k], strict=True):
        if gone:
            raise NotEstimable(
                f"control {name}: does not vary within pairs once year effects and the other controls are out; leave it out of the controls"
            )
    unidentified = lost[n_years - 1 + k :] & observed
    if not observed.any():
        raise NotEstimable("no kept pair is observed after its admission: nothing to estimate; give later years or another cohort_year")
    if unidentified.any():
        names = ", ".join(label for label, gone in zip(design.labels, unidentified, strict=True) if gone)
        raise NotEstimable(
            f"{design.estimator}: not identified beside the pair and year effects: {names}. Needed are never-treated pairs in the same "
            "years, pairs observed before and after their admission and, for an event study, a cohort observed in the year before admission"
        )


def _residuals(sample: Sample, statistics: PairStatistics, design: Design, theta: np.ndarray, m: int) -> np.ndarray:
    layout, kept = statistics.layout, sample.kept
    t, k = layout.n_years, layout.n_controls
    observed, group = sample.observed[kept], sample.pair_group[kept]
    fitted = np.concatenate([[0.0], theta[: t - 1]]) + np.einsum("gtl,l->gt", design.x, theta[t - 1 + k :])
    values = statistics.values[kept]
    start = layout.shared + m * layout.per_outcome
    controls = values[:, layout.control_start : layout.gram_start].reshape(len(values), t, k)
    rest = values[:, start : start + t] - np.einsum("ptk,k->pt", controls, theta[t - 1 : t - 1 + k])
    explained = np.where(observed, fitted[group], np.nan)
    explained -= np.nanmean(explained, axis=1, keepdims=True)
    return np.where(observed, rest - explained, np.nan)
