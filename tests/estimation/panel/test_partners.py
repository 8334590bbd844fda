"""Samples of k strongest partners: the pairs against a literal loop, and draws of the compiled loop
against refits.
"""

import dataclasses

import numpy as np
import pytest

from estimation.fit import fit_panel
from estimation.panel.fit_sample import build_sample
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
