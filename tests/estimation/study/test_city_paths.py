"""Leaving the approval year of second-half pilots out, against least squares on the pair-years that
stay, real and reassigned.
"""

import dataclasses

import numpy as np
import pytest

from estimation.inference.permutation.assignments import draw_relabellings
from estimation.options import Options
from estimation.panel.fit_sample import build_sample
from estimation.results import NotEstimable
from estimation.study.heterogeneity import fit_without_approval_year
from tests.estimation.panels import (
    beside_dummies,
    diagnostic_of,
    estimates_of,
    random_panel,
)


def literal(panel, late: np.ndarray) -> tuple[float, float]:
    """Dummies written out on the pair-years without those of the approval year; the estimate and
    its error clustered by pair.
    """
    kept = np.flatnonzero(build_sample(panel, (0,), 0.3).kept)
    pair, year = np.divmod(np.arange(len(kept) * len(panel.years)), len(panel.years))
    i, j = panel.city_i[kept][pair], panel.city_j[kept][pair]
    cohort = panel.cohort[kept][pair]
    pilot = np.where(panel.city_cohort[i] > 0, i, j)
    stays = ~((cohort > 0) & late[pilot] & (panel.years[year] == cohort - 1))
    x = ((cohort > 0) & (panel.years[year] >= cohort)).astype(float)[stays]
    y = panel.y[0, kept].ravel()[stays]
    (b,), psi = beside_dummies(y, x, pair[stays], year[stays])
    return b, np.sqrt((psi**2).sum())


def test_equals_leaving_the_pair_years_out() -> None:
    """Coefficient, conventional error, and the mean over reassignments in which the half-year moves
    with the admission.
    """
    panel = random_panel(7, n_cities=24, n_pilots=9)
    late = np.zeros(24, dtype=bool)
    late[np.flatnonzero(panel.city_cohort > 0)[::2]] = True
    settings = {
        "vcov": ("conventional", "permutation"),
        "permutations": 12,
        "seed": 3,
        "shuffle": "all",
        "tie_quantile": 0.3,
    }
    result = fit_without_approval_year(panel, late, Options(**settings))["twfe", 0]
    b, error = literal(panel, late)
    row = estimates_of(result, "conventional")["treated", None]
    assert row.estimate == pytest.approx(b, abs=1e-10)
    assert row.std_error == pytest.approx(error, rel=1e-9)
    assert {e.term for e in result.estimates} == {
        "treated",
        "approval_year_2012",
        "approval_year_2013",
        "approval_year_2015",
    }
    records = panel.city_cohort * 10 + late
    kinds, label = np.unique(records, return_inverse=True)
    drawn = []
    for labels in draw_relabellings(label, np.zeros(24, dtype=int), 12, 3):
        moved = kinds[labels]
        drawn.append(
            literal(
                dataclasses.replace(panel, city_cohort=moved // 10, cohort=None), moved % 10 == 1
            )[0]
        )
    assert diagnostic_of(result, "permutation_mean_estimate", "treated") == pytest.approx(
        np.mean(drawn), abs=1e-9
    )


def test_without_second_half_pilots_there_is_no_such_year() -> None:
    panel = random_panel(7, n_cities=18)
    with pytest.raises(NotEstimable, match="July to December"):
        fit_without_approval_year(panel, np.zeros(18, dtype=bool), Options(permutations=0))


def test_pilots_of_one_cohort_that_differ_by_half_year_can_trade_places() -> None:
    panel = random_panel(7, n_cities=24, n_pilots=9)
    two = np.flatnonzero(panel.city_cohort == panel.city_cohort.max())[:2]
    late = np.arange(24) == two[0]
    strata = np.isin(np.arange(24), two)
    options = Options(("permutation",), 9, shuffle=strata)
    result = fit_without_approval_year(panel, late, options)["twfe", 0]
    assert len(two) == 2 and diagnostic_of(result, "permutation_fixed_pilots") == 0
