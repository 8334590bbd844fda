"""Estimators of group-time effects as an `InfluenceFit`: aggregates, influence by pair, refits
without each province and city.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from functools import cache

import numpy as np

from ..engines.arrays import sum_by_group
from ..engines.cells import (
    Cells,
    aggregate,
    aggregation_weights,
    cell_design,
    cell_members,
    cell_terms,
    compared_years,
)
from ..engines.regressors import Design, Term, term_label
from ..engines.solve import influence, outcome_columns
from ..influence.draw_model import DrawModel
from ..influence.influence_fit import InfluenceFit, sum_by_city
from ..influence.jackknife import Refits, sum_sample, sums_without_cities, sums_without_provinces
from ..influence.shock_weights import jackknife_df, province_positions
from ..influence.treated_counts import count_treated
from ..panel.fit_sample import FitSample, require_contrast
from ..panel.pair_panel import PairPanel
from ..results import NotEstimable
from .fitted import Fitted, Inputs
from .group_time_model import GroupTimeModel, Solved
from .registry import ESTIMATORS, Estimator


def fit(estimator: Estimator, sample: FitSample, inputs: Inputs) -> Fitted:
    """Return group-time effects on the pairs that can be effect or control; see
    `fit_group_time`.
    """
    found = comparable_sample(sample)
    draws = GroupTimeDraws(sample, estimator.name, inputs) if can_permute(sample) else None
    fits, lost = fit_group_time(found, estimator.name)
    return Fitted(found, fits, draws, warnings=lost)


def _lost_to_gaps(cohorts: np.ndarray, found: np.ndarray) -> tuple[str, ...]:
    """Return a sentence for each cohort of which an effect could not be estimated, from the cohort
    of every cell and of those that have an effect.
    """
    wanted = Counter(cohorts.tolist())
    lost = wanted - Counter(found.tolist())
    return tuple(
        f"Cohort {g}: {n} of its {wanted[g]} effects are left out, because no pair of it, or "
        "none that it is compared with, is observed in both of the years that they compare."
        for g, n in lost.items()
    )


def comparable_sample(sample: FitSample) -> FitSample:
    """Return the sample without pairs that are treated in every year of the panel: they can be
    neither effect nor control.

    Raises
    ------
    NotEstimable
        If no treated or no never-treated pair is left.
    """
    always = (sample.pair_group > 0) & (sample.panel.cohort <= sample.panel.years[0])
    found = dataclasses.replace(sample, kept=sample.kept & ~always)
    require_contrast(found)
    return found


def fit_group_time(
    sample: FitSample, estimator: str
) -> tuple[tuple[InfluenceFit, ...], tuple[str, ...]]:
    """Return group-time effects of one estimator and their aggregates, one fit for each outcome of
    the sample, and a sentence for each cohort of which an effect could not be estimated.

    Parameters
    ----------
    sample : FitSample
        As `comparable_sample` gives it.
    estimator : str
        Of the family ``group_time`` of the registry.

    Returns
    -------
    fits : tuple of InfluenceFit
        Terms `att` and `event`, and `group_time` where the registry says `gives_cells`. The
        weights of an aggregate count as known, in each refit they are its own.
    lost : tuple of str
        Empty where the estimator does not choose its control pairs: then such a cohort is refused.

    Raises
    ------
    NotEstimable
        If controls are given to an estimator that takes none, no effect after admission is
        observed, or an observed cell is not identified.
    """
    row = ESTIMATORS[estimator]
    if sample.panel.controls is not None and not row.takes_controls:
        *others, last = [
            other.name
            for other in ESTIMATORS.values()
            if other.family == row.family and other.takes_controls
        ]
        raise NotEstimable(
            f"{estimator} takes no controls here: leave controls out, or use "
            f"{', '.join(others)} or {last}"
        )
    model = row.build_model(sample)
    totals = sum_by_group(
        model.values[sample.kept], sample.pair_group[sample.kept], sample.n_groups
    )
    solved = model.solve(totals[None])
    chosen = _observed_cells(sample, model, estimator, solved.effects[0], solved.size[0])
    cells = model.cells.take(chosen)
    terms = cell_terms(cells, sample.group_years, row.gives_cells)
    members = cell_members(cells, sample.group_years, terms)
    weights = np.zeros((len(model.cells), len(terms)))
    weights[chosen] = aggregation_weights(solved.size[:, chosen], members)[0]
    every = cell_terms(model.cells, sample.group_years, row.gives_cells)
    estimates, psi = [], []
    for m in range(len(sample.outcomes)):
        estimates.append(aggregate(solved.effects[:, m, chosen], weights[None, chosen])[0])
        psi.append(
            influence(
                model.values[sample.kept],
                sample.pair_group[sample.kept],
                model.gradient(totals[None], solved, m, weights[None])[0],
            )
        )
    columns = [every.index(term) for term in terms]
    refits = _refits(sample, model, chosen, members)
    cohorts = sample.group_years[model.cells.group - 1]
    lost = _lost_to_gaps(cohorts[solved.size[0] > 0], cohorts[chosen])
    fits = influence_fits(sample, cells, members, (terms, columns), estimates, psi, refits)
    return fits, lost


def influence_fits(
    sample: FitSample,
    cells: Cells,
    members: np.ndarray,
    named: tuple[Sequence[Term], Sequence[int]],
    estimates: Sequence[np.ndarray],
    psi: Sequence[np.ndarray],
    refits: Sequence[tuple[Refits | None, Refits | None]],
) -> tuple[InfluenceFit, ...]:
    """Return one fit for each outcome.

    Parameters
    ----------
    sample : FitSample
    cells : Cells
    members : (K, C) array
        Which cells a term is made of.
    named : (C terms, C positions among those of refits and draws)
    estimates, psi : sequences of (C,) and (P, C) float arrays
    refits : sequence of (without each province, without each city)
        None for cities: first-order, the estimate less the city's influence.
    """
    panel, kept = sample.panel, sample.kept
    terms, columns = named
    design = cell_design(cells, members, sample.n_groups, len(panel.years))
    compared = compared_years(cells, sample.group_years, panel.years)
    counts = count_treated(sample, design, compared)
    held = sample.holds_kept_pair
    labels = tuple(map(term_label, terms))
    fits = []
    for estimate, of_pairs, (provinces, cities) in zip(estimates, psi, refits, strict=True):
        sums = sum_by_city(of_pairs, panel.city_i[kept], panel.city_j[kept], panel.n_cities)
        first_order = Refits(panel.city_ids[held], estimate - sums[held])
        found = InfluenceFit(
            tuple(terms),
            labels,
            np.array(columns),
            estimate,
            of_pairs,
            sums,
            n_pilots=counts.pilots[:-1],
            n_pilot_provinces=counts.provinces[:-1],
            n_treated=counts.effective[:-1],
            provinces=provinces,
            cities=cities or first_order,
        )
        fits.append(found)
    return tuple(fits)


def _observed_cells(
    sample: FitSample,
    model: GroupTimeModel,
    estimator: str,
    effects: np.ndarray,
    cell_size: np.ndarray,
) -> np.ndarray:
    """Return positions of the cells with an effect; refuses what is observed but not identified."""
    observed, found = cell_size > 0, np.isfinite(effects).all(axis=0)
    post = model.cells.event_time >= 0
    if not (observed & post).any():
        raise NotEstimable(
            f"{estimator}: no kept pair is observed before and after its admission: give years "
            "before the first admission and after it"
        )
    lost = np.flatnonzero(observed & ~found)
    # a pair that misses a year takes part in fewer comparisons: a cell without any is not observed
    if len(lost) and (not ESTIMATORS[estimator].chooses_control_pairs or not (found & post).any()):
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
    """Return refits without each province and without each city, by outcome."""
    outcomes = range(len(sample.outcomes))
    sums = sum_sample(sample, model.values, model.n_shared)
    names, deleted = sums_without_cities(sample, sums)
    deleted = deleted[:, 0]
    effects, _, weights = _solve_terms(model, deleted, chosen, members)
    cities = [Refits(names, aggregate(effects[:, m, chosen], weights[:, chosen])) for m in outcomes]
    if sample.panel.province is None:
        return [(None, of_cities) for of_cities in cities]
    names, deleted, needed = sums_without_provinces(sample, sums)
    # the whole sample comes last, where -1 finds it
    effects, samples, weights = _solve_terms(
        model, np.concatenate([deleted[:, 0], sums.totals]), chosen, members
    )

    @cache
    def by_design() -> np.ndarray | None:
        return jackknife_df(
            sums.cities,
            province_positions(sample, names),
            lambda b: model.outcome_weights(samples[b], weights[b]),
        )

    provinces = [
        Refits(names, aggregate(effects[:-1, m, chosen], weights[:-1, chosen]), by_design, needed)
        for m in outcomes
    ]
    return list(zip(provinces, cities, strict=True))


def _solve_terms(
    model: GroupTimeModel, samples: np.ndarray, chosen: np.ndarray, members: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return effects (B, M, K) of each sample's sums (B, G + 1, D), these sums, and the weights (B,
    K, C) of the cells in the terms.
    """
    solved = model.solve(samples)
    weights = np.zeros((len(samples), len(model.cells), members.shape[1]))
    weights[:, chosen] = aggregation_weights(solved.size[:, chosen], members)
    return solved.effects, samples, weights


def can_permute(sample: FitSample) -> bool:
    """Return whether every candidate pair has every year and is treated by one city, without
    controls or chosen partners. A draw can then be fitted from the sums of two-way effects.
    """
    return (
        sample.panel.exposure == "one"
        and sample.panel.controls is None
        and sample.n_partners is None
        and bool(sample.observed[sample.candidate].all())
    )


class GroupTimeDraws(DrawModel):
    """Group-time effects under reassigned admissions, on a balanced panel without controls.

    There the statistics of every such estimator are linear in a pair's outcomes less their mean, by
    group, so that the sums of two-way effects serve them too.
    """

    def __init__(self, sample: FitSample, estimator: str, inputs: Inputs) -> None:
        years, group_years = sample.panel.years, sample.group_years
        self.model = ESTIMATORS[estimator].build_model(_basis_sample(sample))
        cells = self.model.cells
        terms = cell_terms(cells, group_years, ESTIMATORS[estimator].gives_cells)
        self.members = cell_members(cells, group_years, terms)
        x = np.zeros((sample.n_groups, len(years), 1))
        super().__init__(Design(estimator, estimator, terms, x), inputs.statistics, {})
        basis = self.model.values.reshape(sample.n_groups, -1, self.model.values.shape[1])
        # the first pair of a group has no outcome: less its statistics, an outcome's effect is left
        self.transform = basis - basis[:, :1]
        self.transform[:, 0] = basis[:, 0]
        # pairs that are treated in every year can be neither effect nor control
        self.transform[1:][group_years <= years[0]] = 0.0
        # of each outcome: what the model's own statistics take from a pair's, where they do
        self.of_outcome = []
        for m in range(len(sample.outcomes)):
            transform = self.transform[:, outcome_columns(self.statistics.layout, m)]
            own = np.flatnonzero((transform != 0).any(axis=(0, 1)))
            self.of_outcome.append((own, transform[:, :, own]))

    def estimate(self, totals: np.ndarray, terms: np.ndarray) -> np.ndarray:
        """Return some terms (A, M, c); see `DrawModel`."""
        return self._solve(totals, self.members[:, terms])[0]

    def estimate_and_weights(
        self, totals: np.ndarray, terms: Sequence[np.ndarray]
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return all terms, and the weights of the influence; see `DrawModel`."""
        found, own, solved, weights = self._solve(totals, self.members)
        of_outcomes = []
        for m, (chosen, (columns, transform)) in enumerate(
            zip(terms, self.of_outcome, strict=True)
        ):
            gradient = self.model.gradient(own, solved, m, weights[:, :, chosen])[:, :, columns]
            of_outcomes.append(np.einsum("agec,gde->agdc", gradient, transform)[:, None])
        return found, of_outcomes

    def _solve(
        self, totals: np.ndarray, members: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, Solved, np.ndarray]:
        """Return terms of members (K, C), the model's own sums (A, G, D'), what they are solved to,
        and the cells' weights (A, K, C) in the terms.
        """
        found = np.where(totals[:, 0, :, :1] < 0.5, 0.0, totals[:, 0])
        own = np.einsum("agd,gde->age", found, self.transform)
        solved = self.model.solve(own)
        weights = aggregation_weights(solved.size, members)
        terms = [aggregate(solved.effects[:, m], weights) for m in range(len(self.of_outcome))]
        return np.stack(terms, axis=1), own, solved, weights


def _basis_sample(sample: FitSample) -> FitSample:
    """Return unit vectors as a sample: for every group a pair whose outcomes are all zero, and for
    each outcome and year a pair in which this one is 1.
    """
    n_outcomes = len(sample.outcomes)
    n_years = len(sample.panel.years)
    n_vectors = 1 + n_outcomes * n_years
    y = np.zeros((n_outcomes, sample.n_groups, n_vectors, n_years))
    for m in range(n_outcomes):
        y[m, :, 1 + m * n_years + np.arange(n_years), np.arange(n_years)] = 1.0
    group = np.repeat(np.arange(sample.n_groups), n_vectors)
    first = 2 * np.arange(len(group))
    panel = PairPanel(
        first,
        first + 1,
        sample.panel.years,
        y.reshape(n_outcomes, -1, n_years),
        np.zeros(2 * len(group), dtype=np.int64),
        cohort=np.concatenate([[0], sample.group_years])[group],
        pilots_known=False,
    )
    everyone = np.ones(len(group), dtype=bool)
    return FitSample(
        panel,
        tuple(range(n_outcomes)),
        sample.group_years,
        np.zeros(panel.n_cities, dtype=np.int64),
        group,
        np.ones((len(group), n_years), dtype=bool),
        everyone,
        everyone,
        None,
        control_pairs=sample.control_pairs,
    )
