"""Samples of k strongest partners: the pairs against a literal loop, and draws of the compiled loop
against refits.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from estimation.engines.arrays import pair_statistics
from estimation.engines.regressors import DESIGNS
from estimation.estimators.two_way import LeastSquaresDraws, fit_least_squares
from estimation.fit import fit_panel
from estimation.inference.permutation.assignments import draw_relabellings
from estimation.inference.permutation.permute import permute
from estimation.inference.variances import score_variance
from estimation.options import Options
from estimation.panel.pair_panel import build_sample
from tests.estimation.panels import random_panel


def literal_pairs(panel, n_partners: int) -> set[tuple[int, int]]:
    """City by city: its strongest partners that are never pilots; a pair of two pilots has none."""
    ties = {}
    for i, j, tie in zip(
        panel.city_i.tolist(), panel.city_j.tolist(), panel.tie.tolist(), strict=True
    ):
        ties[i, j] = ties[j, i] = tie
    kept = set()
    for city in range(panel.n_cities):
        partners = [
            p
            for p in range(panel.n_cities)
            if p != city and panel.city_cohort[p] == 0 and np.isfinite(ties[city, p])
        ]
        for partner in sorted(partners, key=lambda p: -ties[city, p])[:n_partners]:
            kept.add((min(city, partner), max(city, partner)))
    return kept


@pytest.mark.parametrize("n_partners", [1, 3, 50])
def test_kept_pairs_equal_a_literal_loop(n_partners: int) -> None:
    panel = random_panel(2, n_cities=20, n_pilots=7)
    panel = dataclasses.replace(
        panel, tie=np.where(np.arange(panel.n_pairs) % 11 == 0, np.nan, panel.tie)
    )
    sample = build_sample(panel, (0,), None, n_partners)
    found = set(
        zip(panel.city_i[sample.kept].tolist(), panel.city_j[sample.kept].tolist(), strict=True)
    )
    assert found == literal_pairs(panel, n_partners)


@pytest.mark.parametrize("missing", [0.0, 0.15])
def test_draws_choose_partners_anew(missing: float) -> None:
    """Each draw equals a refit by the plain code on the sample that the reassigned admissions give,
    joint test of the leads too.
    """
    panel = random_panel(1, n_cities=30, n_pilots=9, missing=missing, n_outcomes=2)
    sample = (
        build_sample(panel, (0, 1), None, 4) if missing == 0 else build_sample(panel, (0,), None, 4)
    )
    strata = np.arange(30) % 2
    statistics = pair_statistics(panel.y[list(sample.outcomes)], None, sample.observed)
    designs = [DESIGNS[name](sample.group_years, panel.years) for name in ("twfe", "event_study")]
    models = {design.estimator: LeastSquaresDraws(statistics, design) for design in designs}
    draws = permute(sample, models, strata, Options(permutations=5, seed=11))
    labels = draw_relabellings(sample.city_group, strata, 5, 11)
    assert len({tuple(row) for row in labels.tolist()}) == 5
    for b, label in enumerate(labels):
        years = np.concatenate([[0], sample.group_years])[label]
        changed = dataclasses.replace(panel, city_cohort=years, cohort=None)
        redrawn = build_sample(changed, sample.outcomes, None, 4)
        for design in designs:
            fits = fit_least_squares(
                redrawn, statistics, DESIGNS[design.estimator](redrawn.group_years, panel.years), ()
            )
            for m, fit in enumerate(fits):
                found = draws[design.estimator, m]
                np.testing.assert_allclose(
                    found.coefficient[b, fit.columns], fit.estimate, atol=1e-9
                )
                expected = np.abs(fit.estimate) / np.sqrt(score_variance(fit.city_sums))
                np.testing.assert_allclose(found.statistic[b, fit.columns], expected, rtol=1e-7)


def test_fit_takes_the_rule() -> None:
    """The same estimate as on the kept pairs alone; estimators without draws for it say so."""
    panel = random_panel(4, n_cities=33, n_pilots=12)
    kept = build_sample(panel, (0,), None, 5).kept
    alone = dataclasses.replace(
        panel,
        city_i=panel.city_i[kept],
        city_j=panel.city_j[kept],
        y=panel.y[:, kept],
        cohort=None,
        tie=panel.tie[kept],
    )
    found = fit_panel(panel, n_partners=5, permutations=99)
    expected = fit_panel(alone, permutations=0)
    assert found.estimates[0].estimate == pytest.approx(expected.estimates[0].estimate, abs=1e-12)
    assert found.estimates[0].std_error == pytest.approx(expected.estimates[0].std_error, abs=1e-12)
    assert found.estimates[1].vcov == "permutation"
    other = fit_panel(panel, estimator="borusyak", n_partners=5, permutations=99)
    assert any("permutation is left out" in text for text in other.warnings) or all(
        e.vcov != "permutation" for e in other.estimates
    )
    with pytest.raises(ValueError, match="not both"):
        fit_panel(panel, n_partners=5, tie_quantile=0.5)
