"""Least squares with moderated treatment and year effects by block, as influence values: every
variance estimator reads these.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..influence.influence_fit import InfluenceFit, count_provinces, sum_by_city
from ..influence.refits import Refits
from ..influence.shock_weights import jackknife_df, sum_city_groups
from ..linear.block_year_effects import BlockSolution, solve_blocks, year_means
from ..linear.heterogeneity_design import CityTypes, HeterogeneityDesign
from ..linear.normal_equations import outcome_weights_by_year
from ..linear.pair_statistics import PairStatistics, pair_statistics, sum_by_group, sum_inside
from ..linear.pair_statistics import sum_by_city as statistics_by_city
from ..panel.pair_panel import FitSample
from ..results import NotEstimable


def fit_heterogeneity_design(
    sample: FitSample, design: HeterogeneityDesign, types: CityTypes, control_names: tuple[str, ...]
) -> tuple[tuple[InfluenceFit, ...], tuple[str, ...]]:
    """Fit one design on every outcome of the sample.

    Parameters
    ----------
    sample : FitSample
    design : HeterogeneityDesign
    types : CityTypes
    control_names : tuple of str, length K

    Returns
    -------
    tuple of InfluenceFit
        One for each outcome; rows of the design whose coefficients are identified, then controls. A
        row that compares coefficients has the pilots and the provinces of the one with fewer.
    tuple of str
        Labels of rows with treated pairs that are not identified.

    Raises
    ------
    NotEstimable
        If no row is identified.
    """
    panel, kept = sample.panel, sample.kept
    x = treatment_values(sample, design, types)[kept]
    regressors = [] if panel.controls is None else list(panel.controls[:, kept])
    regressors += list(x.transpose(2, 0, 1))
    statistics = pair_statistics(
        panel.y[list(sample.outcomes)][:, kept], np.stack(regressors), sample.observed[kept]
    )
    block, n_blocks = _dense(design.block[kept])
    totals = sum_by_group(statistics.values, block, n_blocks)[None]
    solution = solve_blocks(totals, statistics)
    pilots = _pilots_in_cells(sample, x)
    n_controls = len(control_names)
    rows, missed = _identified_rows(design, solution.lost[0, n_controls:], pilots.any(axis=0))
    combine = _combinations(design.contrasts[rows], n_controls) / statistics.control_scale
    refits = _all_refits(sample, statistics, (block, n_blocks), combine)
    residual, score = _residuals_and_scores(sample, statistics, totals, solution, block)
    fits = []
    for m in range(len(sample.outcomes)):
        psi = np.einsum("pk,ck->pc", score[m], np.einsum("ck,kl->cl", combine, solution.inverse[0]))
        pilot_count = _fewest(
            design.contrasts[rows], pilots.sum(axis=0), pilots.any(axis=1).sum(), n_controls
        )
        overall = int(count_provinces(sample, pilots.any(axis=1)[:, None])[0])
        provinces = _fewest(
            design.contrasts[rows], count_provinces(sample, pilots), overall, n_controls
        )
        fits.append(
            InfluenceFit(
                tuple(design.terms[r] for r in rows)
                + tuple((name, None, None) for name in control_names),
                tuple(design.labels[r] for r in rows) + tuple(control_names),
                np.concatenate([rows, np.full(n_controls, -1)]).astype(np.int64),
                np.einsum("ck,k->c", combine, solution.theta[0, m]),
                psi,
                sum_by_city(psi, panel.city_i[kept], panel.city_j[kept], panel.n_cities),
                pilot_count,
                provinces,
                refits["province"][m],
                refits["city"][m],
                residual[m],
            )
        )
    return tuple(fits), missed


def treatment_values(
    sample: FitSample, design: HeterogeneityDesign, types: CityTypes
) -> np.ndarray:
    """Treatment regressors of every candidate pair under the real assignment; zero for pairs
    without exactly one pilot; (P, T, L).
    """
    panel = sample.panel
    kind = np.where(
        sample.pair_group > 0,
        np.maximum(types.city_type[panel.city_i], types.city_type[panel.city_j]),
        0,
    )
    product = np.einsum("pts,pv->ptvs", design.path[kind], design.loading)
    return product.reshape(len(kind), len(panel.years), -1)


def _dense(block: np.ndarray) -> tuple[np.ndarray, int]:
    names, position = np.unique(block, return_inverse=True)
    return position.reshape(-1), len(names)


def _pilots_in_cells(sample: FitSample, x: np.ndarray) -> np.ndarray:
    """Whether a pilot is observed in the cells of each coefficient, in a kept pair; (N, L) bool."""
    panel, kept = sample.panel, sample.kept
    treated = sample.pair_group[kept] > 0
    in_cells = ((x != 0) & sample.observed[kept][:, :, None]).any(axis=1)[treated]
    i, j = panel.city_i[kept][treated], panel.city_j[kept][treated]
    result = np.zeros((panel.n_cities, x.shape[2]), dtype=bool)
    np.logical_or.at(result, np.where(panel.city_cohort[i] > 0, i, j), in_cells)
    return result


def _fewest(
    contrasts: np.ndarray, by_coefficient: np.ndarray, overall: int, n_controls: int
) -> np.ndarray:
    """Smallest count among the coefficients of each row, then the overall count for every
    control.
    """
    rows = [int(by_coefficient[row != 0].min()) for row in contrasts]
    return np.array(rows + [int(overall)] * n_controls, dtype=np.int64)


def _identified_rows(
    design: HeterogeneityDesign, lost: np.ndarray, has_cells: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...]]:
    if not has_cells.any():
        raise NotEstimable(
            "no kept pair is observed after its admission: nothing to estimate; give later years "
            "or another cohort_year"
        )
    uses = design.contrasts != 0
    rows = np.flatnonzero(~(uses & (lost | ~has_cells)).any(axis=1))
    missed = tuple(design.labels[k] for k in np.flatnonzero(lost & has_cells))
    if len(rows) == 0:
        raise NotEstimable(
            f"{design.name}: not identified beside the pair and year effects: "
            f"{', '.join(missed)}. Needed are never-treated pairs in the "
            "same years and the same class of year effects, and pairs observed before and after "
            "their admission"
        )
    return rows, missed


def _combinations(contrasts: np.ndarray, n_controls: int) -> np.ndarray:
    """Rows of the output as sums of all parameters (controls, treatment)."""
    size = n_controls + contrasts.shape[1]
    combine = np.zeros((len(contrasts) + n_controls, size))
    combine[: len(contrasts), n_controls:] = contrasts
    combine[len(contrasts) :, :n_controls] = np.eye(n_controls)
    return combine


def _residuals_and_scores(
    sample: FitSample,
    statistics: PairStatistics,
    totals: np.ndarray,
    solution: BlockSolution,
    block: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Residuals (M, P_kept, T), NaN without a row, and each pair's product with the residualised
    regressors (M, P_kept, q).
    """
    layout, observed = statistics.layout, sample.observed[sample.kept]
    t, q = layout.n_years, layout.n_controls
    regressor_years, outcome_years = (effects[0] for effects in year_means(totals, statistics))
    regressors = statistics.values[:, layout.control_start : layout.gram_start].reshape(-1, t, q)
    regressors = regressors - _within(regressor_years[block], observed)
    residual, score = [], []
    for m in range(layout.n_outcomes):
        start = layout.shared + m * layout.per_outcome
        rest = (
            statistics.values[:, start : start + t]
            - _within(outcome_years[block][:, :, m, None], observed)[:, :, 0]
        )
        rest = rest - np.einsum("ptk,k->pt", regressors, solution.theta[0, m])
        residual.append(np.where(observed, rest, np.nan))
        score.append(np.einsum("ptk,pt->pk", regressors, rest))
    return np.stack(residual), np.stack(score)


def _within(values: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Deviations of (P, T, c) from the pair's mean over its observed years; zero elsewhere."""
    weight = observed[:, :, None]
    mean = (values * weight).sum(axis=1, keepdims=True) / np.maximum(observed.sum(axis=1), 1)[
        :, None, None
    ]
    return np.where(weight, values - mean, 0.0)


def _all_refits(
    sample: FitSample,
    statistics: PairStatistics,
    blocks: tuple[np.ndarray, int],
    combine: np.ndarray,
) -> dict[str, list]:
    """Refits without each city and each province, by outcome; None for each outcome without
    provinces.
    """
    panel, kept = sample.panel, sample.kept
    i, j, (block, n_blocks) = panel.city_i[kept], panel.city_j[kept], blocks
    # a last column counts treated pairs, so that a deletion that leaves no pilot is seen
    values = np.column_stack([statistics.values, sample.pair_group[kept] > 0]).astype(np.float64)
    totals = sum_by_group(values, block, n_blocks)
    by_city = statistics_by_city(values, i, j, block, (panel.n_cities, n_blocks))
    held = by_city[:, :, 0].sum(axis=1) > 0.5
    without_city = solve_blocks((totals[None] - by_city[held])[..., :-1], statistics)
    refits = {"city": _refits(without_city, panel.city_ids[held], statistics, combine)}
    if panel.province is None:
        return refits | {"province": [None] * statistics.layout.n_outcomes}
    names, province = np.unique(panel.province, return_inverse=True)
    province = province.reshape(-1)
    by_province = np.zeros((len(names), *by_city.shape[1:]))
    np.add.at(by_province, province, by_city)
    deleted = (
        totals[None]
        - by_province
        + sum_inside(values, province[i], province[j], block, (len(names), n_blocks))
    )
    holds, leaves_treated = (
        by_province[:, :, 0].sum(axis=1) > 0.5,
        deleted[:, :, -1].sum(axis=1) > 0.5,
    )
    chosen = holds & leaves_treated
    # the whole sample comes last
    samples = np.concatenate([deleted[chosen], totals[None]])[..., :-1]
    solution = solve_blocks(samples, statistics)
    by_regressor = np.einsum("ck,akl->alc", combine, solution.inverse)
    by_year = [
        -np.einsum("btk,kc->btc", year_means(part[None], statistics)[0][0], by_regressor[b])
        for b, part in enumerate(samples)
    ]
    by_city_block = sum_city_groups(
        statistics.values[:, : statistics.layout.gram_start], i, j, block, province, n_blocks
    )
    df = jackknife_df(
        by_city_block,
        np.flatnonzero(chosen),
        lambda b, rows, group: outcome_weights_by_year(
            by_year[b], by_regressor[b], rows, group, statistics
        ),
    )
    found, carriers = (
        _refits(solution, names[chosen], statistics, combine, df),
        tuple(names[holds & ~leaves_treated].tolist()),
    )
    return refits | {"province": [replace(of_outcome, carriers=carriers) for of_outcome in found]}


def _refits(
    solution: BlockSolution,
    names: np.ndarray,
    statistics: PairStatistics,
    combine: np.ndarray,
    df: np.ndarray | None = None,
) -> list[Refits]:
    """One for each outcome, from the first solutions of a batch."""
    n = len(names)
    is_lost = (
        np.einsum(
            "ck,ak->ac", (combine != 0).astype(np.float64), solution.lost[:n].astype(np.float64)
        )
        > 0
    )
    return [
        Refits(
            names,
            np.where(is_lost, np.nan, np.einsum("ck,ak->ac", combine, solution.theta[:n, m])),
            df,
        )
        for m in range(statistics.layout.n_outcomes)
    ]
