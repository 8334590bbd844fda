"""Panels whose units lack some periods: the measure and the estimate against literal loops."""

import numpy as np
import pandas as pd
import pytest

import estimation as cs
from estimation.primary.city_panel import build_panel
from estimation.primary.fit import fit_primary
from tests.estimation.panels import beside_dummies
from tests.estimation.primary.economies import draw_panel, plain_measure


@pytest.fixture(scope="module")
def gappy() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    growth, years, cohort, block = draw_panel(3, calmer=0.6)
    rng = np.random.default_rng(1)
    growth[np.arange(len(growth)), rng.integers(0, len(years), len(growth))] = np.nan
    growth[::3, 4] = np.nan
    return growth, years, cohort, block


def test_the_measure_and_the_estimate_are_those_of_the_known_cells(gappy) -> None:
    growth, years, cohort, block = gappy
    panel = build_panel(*gappy, least_share=0.8)
    assert len(panel.growth) == len(growth) and panel.has_gaps
    y = panel.measured(panel.growth)[2]
    known = np.isfinite(growth)
    is_partner = (cohort == 0) & (block != block[:, None])
    np.testing.assert_allclose(y[known], plain_measure(growth, is_partner)[known], rtol=1e-10)
    rows, columns = np.nonzero(known)
    treated = (cohort[rows] > 0) & (years[columns] >= cohort[rows])
    (expected,), _ = beside_dummies(y[known], treated, rows, 1000 * block[rows] + columns)
    found = fit_primary(*gappy, permutations=99, least_share=0.8)
    assert found.estimate == pytest.approx(expected, abs=1e-9)
    assert found.cycle.estimate is not None and found.channels == ()


def test_without_gaps_nothing_changes_and_by_default_gaps_leave_a_city_out(gappy) -> None:
    complete = draw_panel(5)
    asked = fit_primary(*complete, permutations=99, least_share=0.8)
    assert asked == fit_primary(*complete, permutations=99)
    assert fit_primary(*gappy, permutations=99).verdict == "not_identified"


def test_units_with_few_periods_are_left_out_and_named() -> None:
    growth, years, cohort, block = draw_panel(6)
    city, year = np.divmod(np.arange(growth.size), len(years))
    columns = {"unit": city, "year": years[year], "g": growth.ravel(), "region": block[city]}
    frame = pd.DataFrame(columns).assign(first=np.where(cohort[city] > 0, cohort[city], np.nan))
    frame.loc[(frame["unit"] == 7) & (frame["year"] < 2012), "g"] = np.nan
    options = {"unit": "unit", "cohort": "first", "block": "region", "permutations": 99}
    found = cs.primary(frame, "g", **options)
    assert "Periods are missing for 1 of 48 units" in found.warnings[0]
    assert found.result.n_cities == 48
    frame = frame[(frame["unit"] != 9) | (frame["year"] > 2012)]
    found = cs.primary(frame, "g", **options)
    assert "less than 80% of the periods: 9." in found.warnings[0]
    assert found.result.n_cities == 47
