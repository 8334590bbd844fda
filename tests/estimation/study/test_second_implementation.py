"""The headline by pyfixest and statsmodels: no difference where both are right, one that is seen
where this package is made wrong.
"""

import pandas as pd
import pytest

from estimation.analyses.catalog import all_specs
from estimation.sample.build import build_group_sample
from estimation.study import second_implementation
from estimation.study.run import run_study
from tests.estimation.study.test_run import FAST, economy

SPECS = [spec for spec in all_specs() if spec.spec_id in second_implementation.SPEC_IDS]
PACKAGES = (("baseline", "pyfixest"), ("baseline", "statsmodels"), ("dynamics", "pyfixest"))


@pytest.fixture(scope="module")
def marts():
    return economy()[0]


@pytest.fixture(scope="module")
def result(marts):
    return run_study(marts, SPECS, **FAST)


def gaps(marts, estimate: pd.DataFrame) -> dict[tuple[str, str], float]:
    rows = pd.DataFrame(differences(marts, estimate))
    found = rows[rows["diagnostic"].str.endswith("_gap") & (rows["spec_id"] != SPECS[1].spec_id)]
    analyses = found["spec_id"].str.split(".").str[0]
    return dict(zip(zip(analyses, found["diagnostic"], strict=True), found["value"], strict=True))


def differences(marts, estimate: pd.DataFrame) -> list[dict]:
    rows = estimate.astype(object).where(estimate.notna(), None).to_dict("records")
    sample = build_group_sample(marts, SPECS)
    return second_implementation.differences(sample, SPECS, rows)


@pytest.mark.parametrize("rows_of_pyfixest", [None, 1_000])
def test_both_packages_find_the_same(marts, result, monkeypatch, rows_of_pyfixest) -> None:
    """Also where a sample is too large for pyfixest, and is held against it in part."""
    assert {spec.spec_id for spec in SPECS} == set(second_implementation.SPEC_IDS)
    if rows_of_pyfixest:
        monkeypatch.setattr(second_implementation, "ROWS_OF_PYFIXEST", rows_of_pyfixest)
    found = gaps(marts, result.estimate)
    assert found == {
        (analysis, f"{package}_{column}_gap"): 0.0
        for column in ("estimate", "std_error")
        for analysis, package in PACKAGES
    }


def test_a_study_keeps_the_differences_beside_its_headlines(result) -> None:
    rows = result.diagnostic[result.diagnostic["diagnostic"].str.endswith("_gap")]
    assert set(rows["spec_id"]) == set(second_implementation.SPEC_IDS)
    assert (rows["value"] < 1e-9).all()


@pytest.mark.parametrize("column", ["estimate", "std_error"])
def test_a_headline_that_is_wrong_is_seen(marts, result, column: str) -> None:
    wrong = result.estimate.copy()
    wrong.loc[wrong["vcov"] == "conventional", column] *= 1.0001
    found = gaps(marts, wrong)
    for analysis in ("baseline", "dynamics"):
        assert found[analysis, f"pyfixest_{column}_gap"] > 1e-6


def test_statsmodels_would_see_a_mistake_of_the_solver(marts, result, monkeypatch) -> None:
    true_fit = second_implementation.fit_outcomes

    def wrong_fit(panel, **settings):
        panel.y[...] *= 1.001
        return true_fit(panel, **settings)

    monkeypatch.setattr(second_implementation, "fit_outcomes", wrong_fit)
    assert gaps(marts, result.estimate)["baseline", "statsmodels_estimate_gap"] > 1e-6


def test_a_spec_that_was_not_run_has_no_difference(marts, result) -> None:
    without = result.estimate[result.estimate["spec_id"] != SPECS[0].spec_id]
    rows = differences(marts, without)
    assert SPECS[0].spec_id not in {row["spec_id"] for row in rows}
