"""Small city-pair panels for the tests of the estimators."""

import dataclasses
import itertools
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from estimation.engines.arrays import pair_statistics
from estimation.engines.regressors import DESIGNS
from estimation.estimators.group_time import comparable_sample, fit_group_time
from estimation.estimators.two_way import fit_least_squares
from estimation.inference.variances import score_variance
from estimation.panel.fit_sample import build_sample
from estimation.panel.pair_panel import PairPanel

VARIANCE_ESTIMATORS = ("conventional", "dyadic", "city", "province_jackknife", "permutation")
#: What may lie in a panel, as options of `random_panel`.
CASES = {
    "balanced": {},
    "few_gaps": {"missing": 0.02},
    "many_gaps": {"missing": 0.35},
    "controls": {"n_controls": 2},
    "gaps_and_controls": {"missing": 0.2, "n_controls": 2},
}
#: What else may lie in a panel is left to `make test-full`: it is there beside more.
OFTEN = [
    pytest.param(name, marks=pytest.mark.full if name in ("few_gaps", "controls") else ())
    for name in CASES
]


def reference_panel() -> PairPanel:
    """The panel without random numbers at the end of docs/methods, section 7; outcome 0 is `cm`,
    outcome 1 `neg_abs_gap`; all 66 pairs.
    """
    i, t = np.arange(12)[:, None], np.arange(6)[None]
    x = ((7 * i + 3 * t**2 + i * t**2) % 11) + 0.25 * ((i**2 + t) % 7)
    z = (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)
    first, second = np.array(list(itertools.combinations(range(12), 2))).T
    y = np.stack([1 - (z[first] - z[second]) ** 2 / 2, -np.abs(x[first] - x[second])])
    cohort = np.zeros(12, dtype=int)
    cohort[[2, 7]], cohort[10] = 2003, 2005
    return PairPanel(first, second, np.arange(2001, 2007), y, cohort, np.arange(12) // 3)


def random_panel(
    seed: int,
    *,
    n_cities: int = 18,
    n_pilots: int = 6,
    n_years: int = 7,
    missing: float = 0.0,
    n_controls: int = 0,
    n_outcomes: int = 1,
) -> PairPanel:
    """A panel with city shocks, three cohorts, provinces of three cities and, if asked, missing
    rows and controls.
    """
    generator = np.random.default_rng(seed)
    first, second = np.array(list(itertools.combinations(range(n_cities), 2))).T
    years = np.arange(2010, 2010 + n_years)
    shape = (len(first), n_years)
    shocks = generator.normal(size=(n_outcomes, n_cities, n_years))
    y = shocks[:, first] + shocks[:, second] + generator.normal(size=(n_outcomes, *shape))
    y[:, generator.random(shape) < missing] = np.nan
    controls = generator.normal(size=(n_controls, *shape)) + 0.2 * np.nan_to_num(y[0])
    cohort = np.zeros(n_cities, dtype=int)
    cohort[generator.permutation(n_cities)[:n_pilots]] = generator.permutation(
        np.resize([2013, 2014, 2016], n_pilots)
    )
    tie = generator.lognormal(size=len(first))
    return PairPanel(
        first,
        second,
        years,
        y,
        cohort,
        np.arange(n_cities) // 3,
        controls if n_controls else None,
        tie=tie,
    )


def with_cell(column: str, value: object, row: int = 3) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return what changes one cell of a frame."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.astype({column: object})
        frame.iloc[row, frame.columns.get_loc(column)] = value
        return frame

    return change


def with_one_pair(panel: PairPanel, cohort: int) -> PairPanel:
    """The panel with the first pair of a cohort alone: its cells hold one pair each."""
    others = np.flatnonzero(panel.cohort == cohort)[1:]
    y = panel.y.copy()
    y[:, others] = np.nan
    return dataclasses.replace(panel, y=y, cohort=None)


def long_table(panel: PairPanel, kept: np.ndarray | None = None, outcome: int = 0) -> pd.DataFrame:
    """One row a pair and year with an outcome, for peers: pair, year, cohort, y, x0.., treated."""
    rows = np.arange(panel.n_pairs) if kept is None else np.flatnonzero(kept)
    pair, year = np.meshgrid(rows, np.arange(len(panel.years)), indexing="ij")
    table = pd.DataFrame(
        {
            "pair": pair.ravel(),
            "year": panel.years[year.ravel()],
            "y": panel.y[outcome, pair, year].ravel(),
        }
    )
    table["cohort"] = panel.cohort[table["pair"]]
    table["city_i"], table["city_j"] = panel.city_i[table["pair"]], panel.city_j[table["pair"]]
    for k in range(0 if panel.controls is None else len(panel.controls)):
        table[f"x{k}"] = panel.controls[k, pair, year].ravel()
    table["treated"] = ((table["cohort"] > 0) & (table["year"] >= table["cohort"])).astype(float)
    return table.dropna().reset_index(drop=True)


def contract_table(panel: PairPanel) -> pd.DataFrame:
    """The panel under the contract's names; a pair of two pilots carries the earlier year."""
    table = long_table(panel)
    i, j = table["city_i"].to_numpy(), table["city_j"].to_numpy()
    years = pd.Series(panel.city_cohort, dtype="Int64").where(panel.city_cohort > 0)
    first, second = (years[side].reset_index(drop=True) for side in (i, j))
    names = {
        "city_i_id": i + 100,
        "city_j_id": j + 100,
        "cohort_year": first.where(second.isna() | (first <= second), second),
        "province_i_id": panel.province[i],
        "province_j_id": panel.province[j],
        "city_i_cohort_year": first,
        "city_j_cohort_year": second,
    }
    return table.drop(columns=["pair", "cohort", "city_i", "city_j", "treated"]).assign(**names)


def without_dummies(values, groups, controls=(), root=1.0):
    """What a regression on controls and a dummy for every value of each group leaves of columns;
    `root` is that of the rows' weights.
    """
    ones = [of[:, None] == np.unique(of) for of in groups]
    beside = np.column_stack([*ones, *controls]) * root
    values = np.column_stack([values]) * root
    return values - beside @ np.linalg.lstsq(beside, values, rcond=None)[0]


def beside_dummies(y, x, pair, period, weight=1.0, controls=()):
    """Least squares of y on the columns of x beside controls and a dummy for every pair and period:
    the coefficients, and each pair's influence on them.
    """
    root = np.sqrt(weight * np.ones(len(y)))[:, None]
    y, x = (without_dummies(v, (pair, period), controls, root) for v in (y, x))
    b = np.linalg.solve(x.T @ x, x.T @ y)
    scores = (pair[:, None] == np.unique(pair)).T @ (x * (y - x @ b))
    return b[:, 0], scores @ np.linalg.inv(x.T @ x)


def of_pair_dummies(panel, kept, x, *, block=None, weight=None):
    """Least squares of the observed years of kept pairs on regressors (K, P, T) and the panel's
    controls, beside a dummy for every pair and every year (of a block of pairs); weights are those
    of pairs. Coefficients, and the influence of each pair.
    """
    pair, year = np.nonzero(kept * np.isfinite(panel.y[0]))
    block = np.zeros(panel.n_pairs, dtype=int) if block is None else block
    weight = np.ones(panel.n_pairs) if weight is None else weight
    controls = [] if panel.controls is None else [c[pair, year] for c in panel.controls]
    columns = np.column_stack([path[pair, year] for path in x]).astype(float)
    cell = block[pair] * len(panel.years) + year
    return beside_dummies(panel.y[0, pair, year], columns, pair, cell, weight[pair], controls)


def treated_years(panel) -> np.ndarray:
    """Whether a pair is treated in a year, (P, T)."""
    return (panel.cohort[:, None] > 0) & (panel.years >= panel.cohort[:, None])


def summed_by_city(panel, psi, pairs=slice(None)):
    """Sums over the pairs of each city."""
    sides = (panel.city_i[pairs], panel.city_j[pairs])
    return sum((side == np.arange(panel.n_cities)[:, None]) @ psi for side in sides)


def derivative(estimate, n_pairs, pair, step=1e-5):
    """How an estimate of weighted pairs moves with the weight of one of them."""
    at = np.arange(n_pairs) == pair
    more, less = (estimate(1 + sign * step * at) for sign in (1, -1))
    return (more - less) / (2 * step)


def fitted(panel, estimator, tie_quantile=None, **rules):
    """The sample under rules, and the fits of its outcomes without what stands around them."""
    sample = build_sample(panel, tuple(range(panel.n_outcomes)), tie_quantile, **rules)
    if estimator not in DESIGNS:
        sample = comparable_sample(sample)
        return sample, fit_group_time(sample, estimator)[0]
    statistics = pair_statistics(panel.y, panel.controls, sample.observed)
    names = tuple(f"x{k}" for k in range(statistics.layout.n_controls))
    design = DESIGNS[estimator](sample.group_years, panel.years)
    return sample, fit_least_squares(sample, statistics, design, names)


def points(result) -> dict:
    """Estimates by (term, cohort_year, event_time)."""
    return {(e.term, e.cohort_year, e.event_time): e.estimate for e in result.estimates}


def estimates_of(result, vcov: str) -> dict:
    """Estimates of one line by (term, event_time)."""
    return {(e.term, e.event_time): e for e in result.estimates if e.vcov == vcov}


def diagnostic_of(result, name: str, term: str | None = None):
    """Value of a diagnostic; fails if there is not exactly one."""
    (value,) = [v for n, t, v in result.diagnostics if (n, t) == (name, term)]
    return value


def assert_draw_is_fit(drawn, b: int, fit, tested: dict[str, np.ndarray]) -> None:
    """Coefficients, studentised statistics and joint tests (columns by name) of draw `b` are those
    of a fit under the labels that were drawn.
    """
    treatment = fit.columns >= 0
    columns = fit.columns[treatment]
    estimate, found = fit.estimate[treatment], drawn.coefficient[b, columns]
    np.testing.assert_allclose(found, estimate, rtol=0, atol=1e-10)
    statistic = np.abs(estimate) / np.sqrt(score_variance(fit.city_sums))[treatment]
    np.testing.assert_allclose(drawn.statistic[b, columns], statistic, rtol=1e-8)
    for name, of_test in tested.items():
        chosen = np.flatnonzero(np.isin(fit.columns, of_test))
        expected = fit.provinces.joint_f(fit.estimate, chosen)[0]
        np.testing.assert_allclose(drawn.tests[name][b], expected, rtol=1e-6)
