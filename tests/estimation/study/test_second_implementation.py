"""The headline by pyfixest and statsmodels: no difference where both are right, one that is seen
where this package is made wrong.
"""

from __future__ import annotations

import pandas as pd
import pytest

from estimation.analyses.catalog import all_specs
from estimation.study import second_implementation
from estimation.study.run import run_study
from tests.estimation.study.test_run import FAST, economy

SPECS = [spec for spec in all_specs() if spec.spec_id in second_implementation.SPEC_IDS]
OFFICIAL = "baseline.cm_growth_official.headline"


@pytest.fixture(scope="module")
def marts():
    return economy()[0]


@pytest.fixture(scope="module")
def result(marts):
    return run_study(marts, SPECS, **FAST)


def gaps(rows: pd.DataFrame) -> dict[tuple[str, str], float]:
    found = rows[rows["diagnostic"].str.endswith("_gap")]
    return {
        (row.spec_id.split(".")[0], row.diagnostic): row.value
        for row in found.itertuples()
        if row.spec_id != SPECS[1].spec_id
    }


def test_both_packages_find_the_same(result) -> None:
    assert {spec.spec_id for spec in SPECS} == set(second_implementation.SPEC_IDS)
    found = gaps(result.diagnostic)
    assert set(found) == {
        ("baseline", "pyfixest_estimate_gap"),
        ("baseline", "pyfixest_std_error_gap"),
        ("baseline", "statsmodels_estimate_gap"),
        ("baseline", "statsmodels_std_error_gap"),
        ("dynamics", "pyfixest_estimate_gap"),
        ("dynamics", "pyfixest_std_error_gap"),
    }
    assert set(found.values()) == {0.0}


def test_a_sample_too_large_for_pyfixest_is_held_against_it_in_part(
    marts, result, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second_implementation, "ROWS_OF_PYFIXEST", 2_000)
    rows_of, true_table = [], second_implementation._long_table
    monkeypatch.setattr(
        second_implementation,
        "_long_table",
        lambda *given: rows_of.append(len(table := true_table(*given))) or table,
    )
    found = gaps(pd.DataFrame(second_implementation.differences(marts, SPECS, result.estimate)))
    assert set(found.values()) == {0.0} and len(found) == 6
    assert 300 < max(rows_of) <= 2_000


@pytest.mark.parametrize("column", ["estimate", "std_error"])
def test_a_headline_that_is_wrong_is_seen(marts, result, column: str) -> None:
    wrong = result.estimate.copy()
    wrong.loc[wrong["vcov"] == "conventional", column] *= 1.0001
    found = gaps(pd.DataFrame(second_implementation.differences(marts, SPECS, wrong)))
    assert found["baseline", f"pyfixest_{column}_gap"] > 1e-6
    assert found["dynamics", f"pyfixest_{column}_gap"] > 1e-6


def test_statsmodels_would_see_a_mistake_of_the_solver(
    marts, result, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_fit = second_implementation.fit_outcomes

    def wrong_fit(panel, **settings):
        panel.y[...] *= 1.001
        return true_fit(panel, **settings)

    monkeypatch.setattr(second_implementation, "fit_outcomes", wrong_fit)
    found = gaps(pd.DataFrame(second_implementation.differences(marts, SPECS, result.estimate)))
    assert found["baseline", "statsmodels_estimate_gap"] > 1e-6


def test_a_spec_that_was_not_run_has_no_difference(marts, result) -> None:
    without = result.estimate[result.estimate["spec_id"] != OFFICIAL]
    assert OFFICIAL not in {
        row["spec_id"] for row in second_implementation.differences(marts, SPECS, without)
    }
