"""Truths in the tables of the primary test, what they are, and how many intervals hold theirs."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from estimation.analyses.primary import SPECS
from estimation.primary.fit_primary import fit_primary
from estimation.study import coverage
from estimation.study.coverage import build_coverage
from estimation.study.planted import planted_truths
from estimation.study.run import run_study
from estimation.study.tables import COLUMNS, typed
from tests.estimation.primary.economies import YEARS, draw_panel
from tests.estimation.study.cities import economy

# a window of the primary test without a curve of power and placebos
PRIMARY = "primary.cm_growth_official.announcement"


@pytest.fixture(scope="module")
def marts():
    return economy(n_cities=45, n_pilots=15)


@pytest.fixture(scope="module")
def planted(marts) -> pd.DataFrame:
    """Every treated city and year: own variance is a quarter, and the common part counts twice."""
    cities = marts[0].cities[["city_id", "treated_year"]].dropna()
    rows = cities.merge(pd.DataFrame({"year": YEARS}), how="cross").query("year >= treated_year")
    return rows.assign(own_variance_ratio=0.25, loading_rise=1.0, loading_part_pct=0.5)[
        ["city_id", "year", "own_variance_ratio", "loading_rise", "loading_part_pct"]
    ]


def test_truths_stand_in_the_tables_of_the_primary_test(marts, planted) -> None:
    factual, without = marts
    specs = [spec for spec in SPECS if spec.spec_id == PRIMARY]
    given = {"specs": specs, "permutations": 99, "seed": 1}
    simulated = dataclasses.replace(factual, without=without, planted=planted)
    found = run_study(simulated, **given)
    table = found.truth.set_index(["spec_id", "term"])["truth"]
    truth = found.primary.set_index("spec_id").loc[PRIMARY, "truth"]
    assert 0.02 < truth == pytest.approx(table[PRIMARY, "treated"])
    channels = found.channel[found.channel["spec_id"] == PRIMARY].set_index("channel")
    planted = channels["planted"].astype(float).to_dict()
    assert planted == pytest.approx({"own_variance": -0.75, "loading": 1.0})
    own = channels.loc["own_variance", "truth"]
    assert -0.3 > own == pytest.approx(table[PRIMARY, "own_variance"])
    # no effect, no truth but zero; delivered files have none
    nothing = run_study(dataclasses.replace(factual, without=factual), **given)
    assert nothing.truth["truth"].abs().max() < 1e-12 and nothing.truth["planted"].isna().all()
    delivered = run_study(factual, **given)
    assert delivered.primary["truth"].isna().all() and delivered.channel["planted"].isna().all()
    assert delivered.truth.empty and delivered.coverage.empty and len(found.coverage)


def frames() -> dict[str, pd.DataFrame]:
    """Three coefficients: the second has an event time and misses its truth by default, the third
    has no truth.
    """
    lines = ("city", "permutation")
    rows = [("a", "treated", pd.NA, line, 1.0) for line in lines]
    rows += [
        ("b", "event", t, line, high)
        for t in (0, 1)
        for line, high in zip(lines, (1.0, 3.0), strict=True)
    ]
    columns = ["spec_id", "term", "event_time", "vcov", "ci_high"]
    estimate = pd.DataFrame(rows, columns=columns).assign(
        analysis="dynamics", cohort_year=pd.NA, ci_low=0.0
    )
    truth = [("a", "treated", None, None, 1.0, None), ("b", "event", None, 0, 2.0, None)]
    truth = [dict(zip(COLUMNS["truth"], row, strict=True)) for row in truth]
    bounds = {"ci_low": -1.0, "ci_high": 1.0}
    channels = {"spec_id": "p", "channel": ["loading", "own_variance"], "truth": [2.0, 0.1]}
    return {
        "estimate": estimate.assign(is_default=estimate["vcov"] == "city"),
        "primary": pd.DataFrame({"spec_id": ["p", "q"], "truth": [0.5, np.nan], **bounds}),
        "channel": pd.DataFrame({**channels, **bounds}),
        "truth": typed(truth, COLUMNS["truth"]),
    }


def test_coverage_counts_intervals_that_hold_their_truth(tmp_path, monkeypatch) -> None:
    measured = tmp_path / "measured.csv"
    measured.write_text(
        "quantity,coefficients,line,n,n_yes,measured_with\n"
        "found_with_effect,primary.w,primary,400,340,code x\n"
    )
    monkeypatch.setattr(coverage, "MEASURED", measured)
    table = build_coverage(**frames())
    assert list(table) == list(COLUMNS["coverage"])
    counts = ["scope", "coefficients", "line", "n", "n_yes"]
    found = {tuple(row[:3]): tuple(row[3:]) for row in table[counts].itertuples(index=False)}
    assert found == {
        ("this_economy", "every_coefficient", "default"): (2, 1),
        ("this_economy", "dynamics", "default"): (2, 1),
        ("this_economy", "every_coefficient", "permutation"): (2, 2),
        ("this_economy", "dynamics", "permutation"): (2, 2),
        ("this_economy", "primary", "primary"): (1, 1),
        ("this_economy", "loading", "channel"): (1, 0),
        ("this_economy", "own_variance", "channel"): (1, 1),
        ("many_economies", "primary.w", "primary"): (400, 340),
    }
    many = table.iloc[-1]
    assert many["share"] == pytest.approx(0.85) and many["monte_carlo_error"] == pytest.approx(
        np.sqrt(0.85 * 0.15 / 400)
    )
    assert many["measured_with"] == "code x" and table["measured_with"].iloc[:-1].isna().all()


def test_delivered_files_have_no_coverage_and_what_is_committed_was_measured() -> None:
    delivered = {**frames(), "truth": typed([], COLUMNS["truth"])}
    assert build_coverage(**delivered).empty
    rows = pd.read_csv(coverage.MEASURED)
    found = set(rows.loc[rows["coefficients"] == "primary.study_window", "quantity"])
    assert {"found_with_effect", "found_without_effect", "truth_in_interval"} <= found
    assert (rows["n_yes"] <= rows["n"]).all() and (rows["n"] >= 200).all()
    assert rows["measured_with"].str.startswith("code ").all()


RISE = 0.5


def _panel(seed: int):
    """Growth with and without calmer own shocks and a higher loading in treated years."""
    without, _, cohort, block = draw_panel(seed, n_blocks=12)
    calmer = draw_panel(seed, n_blocks=12, calmer=0.75)[0]
    nation = 2 * np.sin(YEARS)
    treated = (cohort[:, None] > 0) & (cohort[:, None] <= YEARS)
    return calmer + nation + RISE * nation * treated, without + nation, cohort, block


def test_truths_are_the_difference_of_two_fits_and_have_parts() -> None:
    growth, without, cohort, block = _panel(3)
    truths = planted_truths(growth, without, YEARS, cohort, block)
    fits = [
        fit_primary(values, YEARS, cohort, block, permutations=20) for values in (growth, without)
    ]
    for truth, one, bare in zip(
        truths, (fits[0], fits[0].cycle), (fits[1], fits[1].cycle), strict=True
    ):
        assert truth["treated"] == pytest.approx(one.estimate - bare.estimate, abs=1e-12)
        assert truth["treated_part"] + truth["untreated_part"] == pytest.approx(truth["treated"])
        assert truth["loading"] == pytest.approx(
            one.channels[1].estimate - bare.channels[1].estimate
        )
        assert truth["own_variance"] < -0.3 and truth["loading"] > 0.1
        # rows of a published table are in one order in every process
        assert list(truth)[-2:] == ["own_variance", "loading"]
    # a panel without a verdict has no truth
    assert planted_truths(growth, without, YEARS, 0 * cohort, block) == ()
