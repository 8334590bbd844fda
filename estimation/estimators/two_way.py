"""Least squares with pair and year effects, and its refits without each province or city.

Serves two-way effects and event studies, and the same with effects that differ between pairs or
pilots and with year effects of a class of pairs. docs/methods: the estimator, its influence values
and the deletion of provinces.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
from scipy.linalg import orth

from ..engines.arrays import PairStatistics, along_axes
from ..engines.interface import SampleSums, SummedSample
from ..engines.regressors import DESIGNS, Design, event_study_design
from ..engines.solve import (
    Solution,
    influence,
    influence_weights,
    outcome_columns,
    outcome_weights,
    outcome_weights_by_year,
    solve,
    with_loadings,
)
from ..influence.draw_model import DrawModel
from ..influence.influence_fit import InfluenceFit
from ..influence.jackknife import (
    Refits,
    sum_sample,
    sums_without_cities,
    sums_without_provinces,
)
from ..influence.shock_weights import jackknife_df, province_positions
from ..influence.treated_counts import count_treated
from ..options import Options
from ..panel.controls import less_effects, less_pair_means
from ..panel.fit_sample import FitSample
from ..results import NotEstimable
from .fitted import Fitted, Inputs
from .registry import ESTIMATORS, Estimator


def fit(estimator: Estimator, sample: FitSample, inputs: Inputs) -> Fitted:
    """Return least squares on the design of that name; see `fit_least_squares`."""
    design = design_of(estimator.name, sample, inputs.options)
    fits = fit_least_squares(sample, inputs.statistics, design, inputs.control_names)
    return Fitted(sample, fits, LeastSquaresDraws(inputs.statistics, design))


def design_of(estimator: str, sample: FitSample, options: Options) -> Design:
    """Return regressors of a two-way fit or an event study."""
    group_years, years = sample.group_years, sample.panel.years
    if ESTIMATORS[estimator].has_reference:
        return event_study_design(group_years, years, options.reference, options.binning)
    return DESIGNS[estimator](group_years, years)


def residuals(
    sample: FitSample, design: Design, coefficients: Mapping[str, float], controls: Sequence[str]
) -> np.ndarray:
    """Return what coefficients, by label, and pair and year effects leave of the first outcome of
    the kept pairs (P, T); NaN where it is not observed.
    """
    panel, kept = sample.panel, sample.kept
    effect = design.x @ [coefficients.get(label, 0.0) for label in design.labels]
    rest = panel.y[sample.outcomes[0]][kept] - effect[sample.pair_group[kept]]
    for k, name in enumerate(controls):
        rest = rest - coefficients.get(name, 0.0) * panel.controls[k, kept]
    return np.where(sample.observed[kept], _net(sample, rest), np.nan)


def _net(sample: FitSample, values: np.ndarray) -> np.ndarray:
    """Return values of the kept pairs (P, T) less pair and year effects of the observed ones."""
    rows, weight = sample.observed[sample.kept], np.ones(len(values))
    if sample.panel.weight is not None:
        weight = sample.panel.weight[sample.kept]
    return less_effects(less_pair_means(values, rows), rows, np.zeros(len(rows)), weight)


def fit_least_squares(
    sample: FitSample, statistics: PairStatistics, design: Design, control_names: tuple[str, ...]
) -> tuple[InfluenceFit, ...]:
    """Return least squares with pair and year effects, one fit for each outcome of the sample.

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
    fits, missed = fit_design(sample, statistics, design, control_names)
    if missed:
        raise NotEstimable(
            f"{design.name}: not identified beside the pair and year effects: {', '.join(missed)}. "
            "Needed are untreated pairs in the same years, pairs observed before and after their "
            "admission and, for an event study, a cohort observed in the year before admission"
        )
    return fits


def fit_design(
    sample: FitSample, statistics: PairStatistics, design: Design, control_names: tuple[str, ...]
) -> tuple[tuple[InfluenceFit, ...], tuple[str, ...]]:
    """Fit one design on every outcome of the sample.

    Returns
    -------
    tuple of InfluenceFit
        One for each outcome; terms of the design whose coefficients are identified, then controls.
        A term that compares coefficients has the pilots and the provinces of the one with fewer.
    tuple of str
        Labels of coefficients with observed cells that are not identified.

    Raises
    ------
    NotEstimable
        If no term is identified.
    """
    panel, k, cell = sample.panel, len(control_names), None
    if isinstance(sample, SummedSample):
        sums = sample.sums
    else:
        cell = design.cells(sample.pair_group, panel.city_i, panel.city_j)
        shape = (design.n_blocks, design.n_groups)
        sums = sum_sample(sample, statistics.values, statistics.layout.gram_start, cell, shape)
    solution = solve(sums.totals[None], design.x, statistics)
    every_year = np.ones((design.n_groups, len(panel.years), len(panel.years)), dtype=bool)
    has_cells = count_treated(sample, design, every_year).pilots[:-1] > 0
    like = []
    if k and solution.lost[0, k:].any() and isinstance(sample, FitSample):
        like = _controls_like_treatment(sample, design, control_names)
    treated = count_treated(sample, design)
    if has_cells.any() and not treated.pilots[-1]:
        raise NotEstimable(_why_none_is_compared(design))
    chosen, missed = _identified(design, solution.lost[0, k:], has_cells, like)
    combine = np.zeros((len(chosen) + k, design.x.shape[-1] + k))
    combine[: len(chosen), : design.x.shape[-1]] = design.combine[chosen]
    combine[len(chosen) :, design.x.shape[-1] :] = np.diag(1 / statistics.control_scale)
    # of the parameters as the solver orders them: controls first
    of_parameters = np.roll(combine, k, axis=1)
    provinces: Sequence[Refits | None] = [None] * len(sample.outcomes)
    if panel.province is not None:
        provinces = _without_provinces(sample, statistics, design, sums, combine)
    names, deleted = sums_without_cities(sample, sums)
    without = solve(deleted, design.x, statistics)
    common = (
        (*(design.terms[c] for c in chosen), *((name, None, None) for name in control_names)),
        (*(design.labels[c] for c in chosen), *control_names),
        np.concatenate([chosen, np.full(k, -1)]).astype(np.int64),
    )
    # a term rests on the coefficients that it combines, a control on any of them
    rests_on = np.zeros((len(chosen) + k, len(has_cells) + 1))
    rests_on[: len(chosen), :-1] = design.combine[chosen]
    rests_on[len(chosen) :, -1] = 1
    counts = treated.fewest(rests_on)
    fits = []
    for m in range(len(sample.outcomes)):
        weights = influence_weights(solution, design.x, statistics, m, combine)[0]
        weights = weights.reshape(-1, *weights.shape[2:])
        if cell is None:
            psi, squares = None, sample.squares(weights)
        else:
            psi = influence(_of_outcome(statistics, sample.kept, m), cell[sample.kept], weights)
            squares = (psi**2).sum(axis=0)
        fits.append(
            InfluenceFit(
                *common,
                np.einsum("cq,q->c", of_parameters, solution.theta[0, m]),
                psi,
                _city_sums(sums, weights, outcome_columns(statistics.layout, m)),
                counts.pilots,
                counts.provinces,
                counts.effective,
                provinces[m],
                Refits(names, _estimates(without, m, of_parameters)),
                _cohort_means(sample, statistics, design, sums, m),
                squares,
            )
        )
    return tuple(fits), missed


def _without_provinces(
    sample: FitSample,
    statistics: PairStatistics,
    design: Design,
    sums: SampleSums,
    combine: np.ndarray,
) -> list[Refits]:
    """Return refits without each province, one for each outcome: every pair with a city in it goes;
    z and the tie mask stay.

    A province whose deletion leaves no treated pair has no refit: it is one of the `needed`.
    """
    names, deleted, needed = sums_without_provinces(sample, sums)
    # the whole sample comes last
    solution = solve(np.concatenate([deleted, sums.totals[None]]), design.x, statistics)
    z, by_control = outcome_weights(solution, with_loadings(design.x), statistics.layout, combine)
    # (samples, V, cells, T, terms)
    z = np.moveaxis(z, 2, 1).reshape(len(z), z.shape[2], -1, *z.shape[4:])

    @cache
    def by_design() -> np.ndarray | None:
        return jackknife_df(
            sums.cities,
            province_positions(sample, names),
            lambda b: outcome_weights_by_year(z[b], by_control[b], statistics),
        )

    of_parameters = np.roll(combine, statistics.layout.n_controls, axis=1)
    return [
        Refits(names, _estimates(solution, m, of_parameters)[: len(names)], by_design, needed)
        for m in range(statistics.layout.n_outcomes)
    ]


def _city_sums(sums: SampleSums, weights: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return sums (N, C) of the influence of a city's pairs, from weights (cells, d, C) of
    statistics.
    """
    rows = sums.cities
    found = np.zeros((len(rows.sums), weights.shape[2]))
    for cell in np.unique(rows.group):
        members = rows.group == cell
        found[members] = np.einsum("kd,dc->kc", rows.sums[members][:, columns], weights[cell])
    result = np.zeros((len(rows.province), weights.shape[2]))
    np.add.at(result, rows.city, found)
    return result


def _estimates(solution: Solution, m: int, combine: np.ndarray) -> np.ndarray:
    """Return terms (A, C) of outcome m from the parameters of each sample, NaN where one is
    lost.
    """
    lost = np.einsum("aq,cq->ac", solution.lost.astype(float), (combine != 0).astype(float)) > 0
    return np.where(lost, np.nan, np.einsum("aq,cq->ac", solution.theta[:, m], combine))


def _controls_like_treatment(sample: FitSample, design: Design, names: Sequence[str]) -> list[str]:
    """Return controls that, net of pair and year effects, are a multiple of a regressor of
    treatment.
    """
    kept, panel = sample.kept, sample.panel
    cell = design.cells(sample.pair_group, panel.city_i, panel.city_j)[kept]
    x = design.x.reshape(-1, *design.x.shape[-2:])[cell]

    def net(values: np.ndarray) -> np.ndarray:
        rest = _net(sample, np.where(sample.observed[kept], values, 0.0))
        size = np.sqrt((rest**2).sum())
        return rest / size if size > 0 else rest

    treatments = [net(x[:, :, place]) for place in range(x.shape[-1])]
    found = []
    for name, control in zip(names, panel.controls, strict=True):
        values = net(control[kept])
        if any(abs((values * one).sum()) > 1 - 1e-10 for one in treatments):
            found.append(name)
    return found


def _why_none_is_compared(design: Design) -> str:
    """Return what leaves treated years without a year of the same pair that they differ from."""
    compared = "both before and after its admission"
    if ESTIMATORS[design.estimator].has_reference:
        compared = "in the reference year and in another one"
    return (
        f"{design.name}: no treated pair is observed {compared}, so pair effects absorb its "
        "treatment: give earlier years, or a cohort_year after the first year"
    )


def _identified(
    design: Design, lost: np.ndarray, has_cells: np.ndarray, like: Sequence[str]
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return positions of the terms that rest on identified coefficients, and the labels of
    coefficients with cells that are lost.
    """
    if not has_cells.any():
        raise NotEstimable(
            "no kept pair is observed after its admission: nothing to estimate; give later years "
            "or another cohort_year"
        )
    chosen = np.flatnonzero(~((design.combine != 0) & (lost | ~has_cells)).any(axis=1))
    missed = tuple(design.labels[k] for k in np.flatnonzero(lost & has_cells))
    if len(chosen) == 0:
        if like:
            raise NotEstimable(
                f"{design.name}: control {', '.join(like)} hardly differs from treatment net of "
                "pair and year effects: leave it out"
            )
        raise NotEstimable(
            f"{design.name}: not identified beside the pair and year effects: {', '.join(missed)}. "
            "Needed are never-treated pairs in the same years and the same class of year effects, "
            "and pairs observed before and after their admission"
        )
    return chosen, missed


def _cohort_means(
    sample: FitSample, statistics: PairStatistics, design: Design, sums: SampleSums, m: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return pairs and mean outcomes less pair means by cohort group, where every kept pair has
    every year and groups are cohorts.
    """
    layout = statistics.layout
    is_plain = design.city_type is None and layout.n_controls == 0 and statistics.weight is None
    if not (is_plain and sample.is_balanced):
        return None
    count, (my, _) = sums.totals[0, :, 0], layout.cut_outcome(sums.totals[0], m)
    with np.errstate(invalid="ignore"):
        return np.rint(count).astype(np.int64), my[:, 0] / count[:, None]


def _of_outcome(statistics: PairStatistics, kept: np.ndarray, m: int) -> np.ndarray:
    """Return statistics of the kept pairs and of one outcome; not copied where that is all of
    them.
    """
    values = statistics.values if kept.all() else statistics.values[kept]
    return (
        values
        if statistics.layout.n_outcomes == 1
        else values[:, outcome_columns(statistics.layout, m)]
    )


class LeastSquaresDraws(DrawModel):
    """Refits of a design under reassigned admissions."""

    def __init__(
        self,
        statistics: PairStatistics,
        design: Design,
        tests: dict[str, np.ndarray] | None = None,
    ) -> None:
        super().__init__(design, statistics, tests or {})

    def narrowed(self) -> DrawModel:
        """Of outcomes by axes that span the regressors instead of by year, where every pair has
        every year and there is no control: year effects and residuals count only as far as they
        move along with a regressor.
        """
        statistics, x = self.statistics, with_loadings(self.design.x)
        layout, basis = statistics.layout, statistics.basis
        if layout.n_controls or len(basis) != 1 or not (basis[0].diagonal() > 0).all():
            return self
        paths = np.moveaxis(x, 2, 0).reshape(layout.n_years, -1)
        axes = orth(np.unique(paths - paths.mean(axis=0), axis=1))
        if not 0 < axes.shape[1] < layout.n_years - 1:
            return self
        design = replace(self.design, x=np.einsum("...tl,tk->...kl", self.design.x, axes))
        return LeastSquaresDraws(along_axes(statistics, axes), design, self.tests)

    def estimate(self, totals: np.ndarray, terms: np.ndarray) -> np.ndarray:
        """Return some terms (A, M, c) from sums (A, blocks, G, D), NaN where lost."""
        return self._terms(solve(totals, self.design.x, self.statistics))[:, :, terms]

    def estimate_and_weights(
        self, totals: np.ndarray, terms: Sequence[np.ndarray]
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return all terms, and the weights (A, blocks, G, d, c) of the influence on each
        outcome.
        """
        solution = solve(totals, self.design.x, self.statistics)
        combine = np.zeros((len(self.design.combine), solution.theta.shape[2]))
        combine[:, : self.design.x.shape[-1]] = self.design.combine
        return self._terms(solution), [
            influence_weights(solution, self.design.x, self.statistics, m, combine[chosen])
            for m, chosen in enumerate(terms)
        ]

    def _terms(self, solution: Solution) -> np.ndarray:
        k = self.statistics.layout.n_controls
        combine = np.concatenate(
            [np.zeros((len(self.design.combine), k)), self.design.combine], axis=1
        )
        return np.stack(
            [_estimates(solution, m, combine) for m in range(solution.theta.shape[1])], axis=1
        )
