"""Two-way coefficients and influence values against statsmodels and literal loops; the
collapsed estimators of the specification curve against the general ones and dummies written out.
"""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from estimation.estimators.cohort_means import WEIGHTS_AND_MISFIT, build_cell_panel, fit_cells
from estimation.fit_panel import fit_panel
from estimation.panel.fit_sample import build_sample
from tests.estimation.panels import (
    CASES,
    OFTEN,
    estimates_of,
    fitted,
    long_table,
    of_pair_dummies,
    random_panel,
    summed_by_city,
    treated_years,
    with_one_pair,
)
from tests.estimation.parity import agrees


@pytest.mark.parametrize("estimator", ["twfe", "event_study"])
@pytest.mark.parametrize("case", OFTEN)
def test_against_statsmodels_dummies(case, estimator):
    panel = random_panel(4, n_cities=10, n_pilots=4, **CASES[case])
    sample, (fit,) = fitted(panel, estimator, 0.2)
    table = long_table(panel, sample.kept)
    event = (table["year"] - table["cohort"]).where(table["cohort"] > 0, -1)
    events = pd.get_dummies(event).drop(columns=-1)
    pairs, years = (pd.get_dummies(table[name]) for name in ("pair", "year"))
    regressors = table["treated"] if estimator == "twfe" else events
    x = np.column_stack([regressors, table.filter(regex="^x"), pairs, years.iloc[:, 1:]])
    x = x.astype(float)
    peer = sm.OLS(table["y"].to_numpy(), x).fit()
    n_terms = x.shape[1] - pairs.shape[1] - years.shape[1] + 1
    reference = "{statsmodels}, OLS with dummies"
    agrees(f"`{estimator}`", reference, fit.estimate, peer.params[:n_terms], abs=1e-10)
    # influence: the rows of (X'X)^-1 times the pair's sum of x e
    scores = pairs.to_numpy().T @ (x * peer.resid[:, None])
    expected = (scores @ np.linalg.inv(x.T @ x))[:, :n_terms]
    agrees(f"`{estimator}`, influence of a pair", reference, fit.psi, expected, abs=1e-10)


def cells_of(sample):
    """The kept pairs of a sample as cells, all outcomes."""
    panel, kept = sample.panel, np.flatnonzero(sample.kept)
    start = np.concatenate([[len(panel.years)], np.searchsorted(panel.years, sample.group_years)])
    province = panel.province[panel.city_i[kept]], panel.province[panel.city_j[kept]]
    return build_cell_panel(
        panel.y[:, kept].transpose(0, 2, 1), sample.pair_group[kept], start, province
    )


@pytest.mark.parametrize("estimator", WEIGHTS_AND_MISFIT)
def test_equals_the_general_estimators(estimator: str) -> None:
    """Coefficient, pair-clustered and dyadic errors and the province jackknife where the cells of
    one cohort hold a pair each; `study/test_run.py` has those of more.
    """
    panel = with_one_pair(random_panel(3, n_cities=33, n_pilots=12), 2016)
    sample = build_sample(panel, (0,), 0.4)
    assert (panel.cohort[sample.kept] == 2016).sum() == 1
    fit = fit_cells(cells_of(sample), [estimator])[estimator]
    general = fit_panel(
        panel,
        estimator=estimator,
        vcov=("conventional", "dyadic", "province_jackknife"),
        permutations=0,
        tie_quantile=0.4,
    )
    term = ("treated" if estimator == "twfe" else "att", None)
    psi = fit.psi[0]
    city = summed_by_city(panel, psi, sample.kept)
    found = {
        "conventional": (psi**2).sum(),
        "dyadic": (city**2).sum() - (psi**2).sum(),
        "province_jackknife": fit.jackknife_variance()[0],
    }
    for line, variance in found.items():
        row = estimates_of(general, line)[term]
        assert fit.estimate[0] == pytest.approx(row.estimate, abs=1e-11)
        if row.std_error is not None:
            assert np.sqrt(variance) == pytest.approx(row.std_error, rel=1e-9)


@pytest.mark.parametrize("nested", [False, True])
def test_class_year_effects_equal_dummies(nested: bool) -> None:
    """Year effects by class of pair, and the refit without a province, against least squares with
    every dummy written out.
    """
    sample = build_sample(random_panel(5, n_cities=21, n_pilots=8), (0,), None)
    panel = sample.panel
    left, right = panel.province[panel.city_i], panel.province[panel.city_j]
    cells = cells_of(sample)
    block_class = np.arange(len(cells.counts)) if nested else cells.block_province.sum(axis=1) % 3
    pair_class = (
        np.minimum(left, right) * 10 + np.maximum(left, right) if nested else (left + right) % 3
    )
    fit = fit_cells(cells, ["twfe"], block_class)["twfe"]

    given = ([treated_years(panel)],)
    (estimate,), psi = of_pair_dummies(panel, sample.kept[:, None], *given, block=pair_class)
    assert fit.estimate[0] == pytest.approx(estimate, abs=1e-11)
    np.testing.assert_allclose(fit.psi[0], psi[:, 0], atol=1e-11)
    for r in range(int(panel.province.max()) + 1):
        rest = sample.kept & (left != r) & (right != r)
        (estimate,), _ = of_pair_dummies(panel, rest[:, None], *given, block=pair_class)
        assert fit.refits[r, 0] == pytest.approx(estimate, abs=1e-10)


def test_what_is_lost_is_nan() -> None:
    """Without a never-treated pair the group-time estimators have no effect to give."""
    sample = build_sample(random_panel(3), (0,), None)
    cells, panel, kept = cells_of(sample), sample.panel, np.flatnonzero(sample.kept)
    treated = cells.group > 0
    province = (
        panel.province[panel.city_i[kept[treated]]],
        panel.province[panel.city_j[kept[treated]]],
    )
    alone = build_cell_panel(cells.y[:, :, treated], cells.group[treated], cells.start, province)
    for estimator, fit in fit_cells(alone, ["callaway_santanna", "borusyak"]).items():
        assert np.isnan(fit.estimate).all(), estimator
