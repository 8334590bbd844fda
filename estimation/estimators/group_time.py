"""Estimators of group-time effects as an `InfluenceFit`: aggregates, influence by pair, refits
without each province and city.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from ..influence.influence_fit import InfluenceFit, count_provinces, pilots_in_cells, sum_by_city
from ..influence.refits import Refits, sum_sample, sums_without_cities, sums_without_provinces
from ..influence.shock_weights import jackknife_df, province_positions
from ..linear.group_time_cells import (
    aggregate,
    aggregation_weights,
    cell_design,
    cell_members,
    cell_terms,
    term_label,
)
from ..linear.normal_equations import influence
from ..linear.pair_statistics import sum_by_group
from ..panel.pair_panel import FitSample, require_contrast
from ..results import NotEstimable
from .fitted import Fitted, Inputs
from .group_time_model import GroupTimeModel
from .registry import ESTIMATORS, Estimator

WITH_CELLS = ("callaway_santanna", "sun_abraham")


def fit(estimator: Estimator, sample: FitSample, inputs: Inputs) -> Fitted:
    """Group-time effects on the pairs that can be effect or control; see `fit_group_time`."""
    sample = comparable_sample(sample)
    return Fitted(sample, fit_group_time(sample, estimator.name))


def comparable_sample(sample: FitSample) -> FitSample:
    """The sample without pairs that are treated in every year of the panel: they can be neither
    effect nor control.

    Raises
    ------
    NotEstimable
        If no treated or no never-treated pair is left.
    """
    always = (sample.pair_group > 0) & (sample.panel.cohort <= sample.panel.years[0])
    found = dataclasses.replace(sample, kept=sample.kept & ~always)
    require_contrast(found)
    return found


def fit_group_time(sample: FitSample, estimator: str) -> tuple[InfluenceFit, ...]:
    """Group-time effects of one estimator and their aggregates, one fit for each outcome of the
    sample.

    Parameters
    ----------
    sample : FitSample
        As `comparable_sample` gives it.
    estimator : str
        Of the family ``group_time`` of the registry.

    Returns
    -------
    tuple of InfluenceFit
        Terms `att` and `event`, and `group_time` for Callaway-Sant'Anna and Sun-Abraham. The
        weights of an aggregate count as known, in each refit they are its own.

    Raises
    ------
    NotEstimable
        If controls are given to Callaway-Sant'Anna, no effect after admission is observed, or an
        observed cell is not identified.
    """
    if estimator == "callaway_santanna" and sample.panel.controls is not None:
        raise NotEstimable(
            "callaway_santanna takes no controls here: leave --controls out, or use sun_abraham, "
            "gardner, borusyak or etwfe"
        )
    model = ESTIMATORS[estimator].build_model(sample)
    totals = sum_by_group(
        model.values[sample.kept], sample.pair_group[sample.kept], sample.n_groups
    )
    effects, cell_size = model.solve(totals[None])
    chosen = _observed_cells(sample, model, estimator, effects[0], cell_size[0])
    cells = model.cells.take(chosen)
    terms = cell_terms(cells, sample.group_years, estimator in WITH_CELLS)
    members = cell_members(cells, sample.group_years, terms)
    weights = np.zeros((len(model.cells), len(terms)))
    weights[chosen] = aggregation_weights(cell_size[:, chosen], members)[0]
    pilots = pilots_in_cells(
        sample, cell_design(cells, members, sample.n_groups, len(sample.panel.years))
    )
    refits = _refits(sample, model, chosen, members)
    residuals = cell_residuals(sample)
    places = {
        term: c
        for c, term in enumerate(
            cell_terms(model.cells, sample.group_years, estimator in WITH_CELLS)
        )
    }
    common = (
        terms,
        tuple(term_label(term) for term in terms),
        np.array([places[term] for term in terms]),
    )
    fits = []
    for m in range(len(sample.outcomes)):
        estimate = aggregate(effects[:, m, chosen], weights[None, chosen])[0]
        psi = influence(
            model.values[sample.kept],
            sample.pair_group[sample.kept],
            model.gradient(totals, m, weights),
        )
        city_sums = sum_by_city(
            psi,
            sample.panel.city_i[sample.kept],
            sample.panel.city_j[sample.kept],
            sample.panel.n_cities,
        )
        counts = (pilots.sum(axis=0), count_provinces(sample, pilots))
        fits.append(
            InfluenceFit(*common, estimate, psi, city_sums, *counts, *refits[m], residuals[m])
        )
    return tuple(fits)


def _observed_cells(
    sample: FitSample,
    model: GroupTimeModel,
    estimator: str,
    effects: np.ndarray,
    cell_size: np.ndarray,
) -> np.ndarray:
    """Positions of the cells with an effect; refuses what is observed but not identified."""
    observed, found = cell_size > 0, np.isfinite(effects).all(axis=0)
    post = model.cells.event_time >= 0
    if not (observed & post).any():
        raise NotEstimable(
            f"{estimator}: no kept pair is observed before and after its admission: give years "
            "before the first admission and after it"
        )
    lost = np.flatnonzero(observed & ~found)
    # a pair that misses a year takes part in fewer comparisons: a cell without any is not observed
    if len(lost) and (estimator != "callaway_santanna" or not (found & post).any()):
        names = ", ".join(
            (
                f"{sample.group_years[model.cells.group[k] - 1]} in "
                f"{sample.panel.years[model.cells.year[k]]}"
            )
            for k in lost
        )
        raise NotEstimable(
            f"{estimator}: not identified beside the pair and year effects: cohort {names}. "
            "Needed are untreated pairs in the same "
            "years and pairs observed before and after their admission"
        )
    return np.flatnonzero(observed & found)


def _refits(
    sample: FitSample, model: GroupTimeModel, chosen: np.ndarray, members: np.ndarray
) -> list[tuple[Refits | None, Refits]]:
    """Refits without each province and without each city, by outcome."""
    outcomes = range(len(sample.outcomes))
    sums = sum_sample(sample, model.values)
    names, deleted = sums_without_cities(sample, sums)
    effects, _, weights = _solve_terms(model, deleted, chosen, members)
    cities = [Refits(names, aggregate(effects[:, m, chosen], weights[:, chosen])) for m in outcomes]
    if sample.panel.province is None:
        return [(None, of_cities) for of_cities in cities]
    names, deleted, carriers = sums_without_provinces(sample, sums)
    # the whole sample comes last, where -1 finds it
    effects, samples, weights = _solve_terms(
        model, np.concatenate([deleted, sums.totals[None]]), chosen, members
    )
    df = jackknife_df(
        sums.cities.first_columns(model.n_shared),
        province_positions(sample, names),
        lambda b, rows, group: model.outcome_weights(samples[b], weights[b], rows, group),
    )
    provinces = [
        Refits(names, aggregate(effects[:-1, m, chosen], weights[:-1, chosen]), df, carriers)
        for m in outcomes
    ]
    return list(zip(provinces, cities, strict=True))


def _solve_terms(
    model: GroupTimeModel, samples: np.ndarray, chosen: np.ndarray, members: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Effects (B, M, K) of each sample's sums (B, G + 1, D), these sums, and the weights (B, K, C)
    of the cells in the terms.
    """
    effects, cell_size = model.solve(samples)
    weights = np.zeros((len(samples), len(model.cells), members.shape[1]))
    weights[:, chosen] = aggregation_weights(cell_size[:, chosen], members)
    return effects, samples, weights


def cell_residuals(sample: FitSample) -> np.ndarray:
    """Outcomes less pair means, less the mean of that over the pairs of a cohort in a year; shape
    (M, P_kept, T), NaN without a row.
    """
    observed, group = sample.observed[sample.kept], sample.pair_group[sample.kept]
    count = np.zeros((sample.n_groups, observed.shape[1]))
    np.add.at(count, group, observed.astype(float))
    residuals = []
    for y in sample.panel.y[list(sample.outcomes)]:
        values = np.where(observed, y[sample.kept], 0.0)
        values = np.where(
            observed,
            values - (values.sum(axis=1) / np.maximum(observed.sum(axis=1), 1))[:, None],
            0.0,
        )
        total = np.zeros_like(count)
        np.add.at(total, group, values)
        residuals.append(
            np.where(observed, values - (total / np.maximum(count, 1.0))[group], np.nan)
        )
    return np.stack(residuals)
