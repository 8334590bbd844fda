"""The collapsed estimators of the specification curve against the general ones, and against dummies
written out.
"""

import numpy as np
import pytest

from estimation.estimators.cohort_means import WEIGHTS, build_cell_panel, fit_cells
from estimation.fit import fit_panel
from estimation.influence.influence_fit import sum_by_city
from estimation.panel.fit_sample import build_sample
from tests.estimation.panels import estimates_of, random_panel


def cells_of(sample):
    """The kept pairs of a sample as cells, all outcomes."""
    panel, kept = sample.panel, np.flatnonzero(sample.kept)
    start = np.concatenate([[len(panel.years)], np.searchsorted(panel.years, sample.group_years)])
    province = panel.province[panel.city_i[kept]], panel.province[panel.city_j[kept]]
    return build_cell_panel(
        panel.y[:, kept].transpose(0, 2, 1), sample.pair_group[kept], start, province
    )


@pytest.mark.parametrize("estimator", WEIGHTS)
@pytest.mark.parametrize("seed", [1, 2])
def test_equals_the_general_estimators(estimator: str, seed: int) -> None:
    """Coefficient, pair-clustered and dyadic errors and the province jackknife."""
    panel = random_panel(seed, n_cities=33, n_pilots=12)
    sample = build_sample(panel, (0,), 0.4)
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
    city = sum_by_city(
        psi[:, None], panel.city_i[sample.kept], panel.city_j[sample.kept], panel.n_cities
    )
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
    panel, kept = sample.panel, np.flatnonzero(sample.kept)
    left, right = panel.province[panel.city_i[kept]], panel.province[panel.city_j[kept]]
    cells = cells_of(sample)
    block_class = np.arange(len(cells.counts)) if nested else cells.block_province.sum(axis=1) % 3
    pair_class = (
        np.minimum(left, right) * 10 + np.maximum(left, right) if nested else (left + right) % 3
    )
    fit = fit_cells(cells, ["twfe"], block_class)["twfe"]

    def literal(rows: np.ndarray) -> tuple[float, np.ndarray]:
        n_years = len(panel.years)
        block = np.unique(pair_class[rows], return_inverse=True)[1]
        pair, year = np.divmod(np.arange(len(rows) * n_years), n_years)
        dummies = np.zeros((len(pair), len(rows) + (block.max() + 1) * n_years + 1))
        dummies[np.arange(len(pair)), pair] = 1
        dummies[np.arange(len(pair)), len(rows) + block[pair] * n_years + year] = 1
        start = panel.cohort[kept[rows]][pair]
        dummies[:, -1] = (start > 0) & (panel.years[year] >= start)
        y = panel.y[0, kept[rows]].ravel()
        own = (
            dummies[:, -1]
            - dummies[:, :-1] @ np.linalg.lstsq(dummies[:, :-1], dummies[:, -1], rcond=None)[0]
        )
        residual = y - dummies @ np.linalg.lstsq(dummies, y, rcond=None)[0]
        return own @ y / (own @ own), np.bincount(pair, own * residual) / (own @ own)

    estimate, psi = literal(np.arange(len(kept)))
    assert fit.estimate[0] == pytest.approx(estimate, abs=1e-11)
    np.testing.assert_allclose(fit.psi[0], psi, atol=1e-11)
    for r in range(int(panel.province.max()) + 1):
        rows = np.flatnonzero((left != r) & (right != r))
        assert fit.refits[r, 0] == pytest.approx(literal(rows)[0], abs=1e-10)


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
