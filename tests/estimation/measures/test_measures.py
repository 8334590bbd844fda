"""The filters against statsmodels, literal formulas and properties that hold for any series;
capital stocks, elasticities and factor wedges against hand-worked figures and literal loops.
"""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from statsmodels.tsa.filters.cf_filter import cffilter
from statsmodels.tsa.filters.hp_filter import hpfilter

from estimation.measures import cycles
from estimation.measures.derived_series import DERIVED, add_derived_series
from estimation.measures.misallocation import accumulate_capital, allocate, estimate_elasticities

LENGTHS = [8, 9, 15, 31]


def random_walk(length: int, seed: int = 7) -> np.ndarray:
    return 5 + np.cumsum(np.random.default_rng(seed).normal(0.08, 0.03, length))


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("smoothing", [6.25, 100.0])
def test_hodrick_prescott_equals_statsmodels(length, smoothing):
    y = random_walk(length)
    assert_allclose(
        cycles.cycle_hodrick_prescott(y, smoothing), hpfilter(y, smoothing)[0], atol=1e-9
    )


@pytest.mark.parametrize("length", LENGTHS)
def test_christiano_fitzgerald_equals_statsmodels(length):
    y = random_walk(length)
    assert_allclose(
        cycles.cycle_christiano_fitzgerald(y), cffilter(y, low=2, high=8, drift=True)[0], atol=1e-11
    )


@pytest.mark.parametrize(("length", "n_in_fit"), [*zip(LENGTHS, LENGTHS, strict=True), (20, 14)])
def test_hamilton_equals_least_squares(length, n_in_fit):
    """Coefficients from the first targets alone forecast all."""
    y = random_walk(length)
    design = np.column_stack([np.ones(length - 2), y[:-2]])
    coefficients = np.linalg.lstsq(design[: n_in_fit - 2], y[2:n_in_fit], rcond=None)[0]
    in_fit = None
    if n_in_fit < length:
        in_fit = np.arange(length) < n_in_fit
    component = cycles.cycle_hamilton(y, in_fit)
    assert np.isnan(component[:2]).all()
    assert_allclose(component[2:], y[2:] - design @ coefficients, atol=1e-11)


def test_runs_are_filtered_by_themselves_and_short_ones_not_at_all():
    first, second, short = random_walk(9, 1), random_walk(12, 2), random_walk(7, 3)
    keys = np.repeat([[1, 0], [1, 9], [2, 0]], [9, 12, 7], axis=0)
    years = np.concatenate([np.arange(2000, 2009), np.arange(2010, 2022), np.arange(2000, 2007)])
    found = cycles.filter_runs(keys, np.concatenate([first, second, short]), years)
    assert_allclose(
        found["hp"][:21],
        np.concatenate(
            [cycles.cycle_hodrick_prescott(first), cycles.cycle_hodrick_prescott(second)]
        ),
    )
    assert_allclose(found["hamilton"][9:21], cycles.cycle_hamilton(second))
    assert all(np.isnan(values[21:]).all() for values in found.values())


@pytest.mark.parametrize(("first_year", "has_pre"), [(2003, True), (2004, False)])
def test_coefficients_before_admission_need_ten_targets(first_year, has_pre):
    years = np.arange(first_year, 2022)
    y = random_walk(years.size)
    found = cycles.filter_runs(np.zeros((years.size, 1)), y, years)["hamilton_pre"]
    assert np.isfinite(found[2:]).all() == has_pre
    if has_pre:
        assert_allclose(found[2:], cycles.cycle_hamilton(y, in_fit=years < 2015)[2:])


NAN = np.nan


def test_capital_by_perpetual_inventory_by_hand():
    investment = np.array([[NAN, 100, 110, 121, 133.1, 146.41, 161.051, 100, NAN, 100]])
    stock = accumulate_capital(investment)[0]
    assert (
        np.isnan(stock[0]) and np.isnan(stock[8:]).all()
    )  # not carried over a year that is not known
    assert stock[1] == pytest.approx(100 / (0.096 + 0.1))
    assert stock[2] == pytest.approx(0.904 * 100 / 0.196 + 110)
    assert stock[7] == pytest.approx(0.904 * stock[6] + 100)


@pytest.mark.parametrize(
    "investment",
    [
        pytest.param([100, 110, 121, 133, 146], id="fewer than six years"),
        pytest.param([100, 50, 25, 12, 6, 3, 2], id="falls as fast as capital wears out"),
        pytest.param([NAN] * 7, id="never delivered"),
    ],
)
def test_a_stock_that_cannot_be_known_stays_unknown(investment):
    assert np.isnan(accumulate_capital(np.array([investment], dtype=float))).all()


def test_elasticity_is_the_slope_of_changes_within_a_province():
    rng = np.random.default_rng(5)
    capital = np.cumsum(rng.normal(0.05, 0.03, (7, 12)), axis=1)
    capital[6] = 1.0  # that of province 4 never changes
    group = np.array([1, 1, 1, 2, 2, 3, 4])
    truth = np.array([0.4, 0.4, 0.4, 1.7, 1.7, 0.6, 0.6])
    output = truth[:, None] * capital + 0.02 * np.arange(12)
    output[5, 3:] = NAN  # province 3 is left with two changes
    found = estimate_elasticities(np.exp(output), np.exp(capital), group)
    assert_allclose(found, [0.4, 0.4, 0.4, 0.9, 0.9, 0.5, 0.5], rtol=1e-10)


def test_gamma_by_hand():
    factor, output, elasticity = (
        np.array([[30.0], [10.0], [NAN]]),
        np.array([[50.0], [50.0], [70.0]]),
        np.array([0.25, 0.75, 0.5]),
    )
    found = allocate(factor, output, elasticity)
    # shares of output one half each, b = 0.5: called for 0.25 and 0.75 of the factor, there are
    # 0.75 and 0.25
    assert_allclose(found[:, 0], [3, 1 / 3, NAN])


def test_derived_series_against_their_formulas():
    rng = np.random.default_rng(3)
    keys = itertools.product((110000, 130100, 130200), range(2005, 2015))
    frame = pd.DataFrame(keys, columns=["city_id", "year"])
    for column in (
        "employed_10k",
        "gdp_nominal_cny_100m",
        "gdp_real_cny_100m",
        "population_10k",
        "loans_cny_100m",
        "fdi_usd_1m",
    ):
        frame[column] = rng.uniform(1, 9, len(frame))
    frame["fixed_investment_cny_100m"] = rng.uniform(8, 9, len(frame))
    frame["cpi_prev_year_100"] = rng.uniform(99, 105, len(frame))
    frame.loc[4, "fdi_usd_1m"] = 0.0
    made = add_derived_series(frame)
    value = {column: frame[column].to_numpy().reshape(3, 10) for column in frame}
    price = np.cumprod(np.where(value["year"] > 2005, value["cpi_prev_year_100"] / 100, 1), axis=1)
    stock = accumulate_capital(value["fixed_investment_cny_100m"] / price)
    labour, output = value["employed_10k"], value["gdp_nominal_cny_100m"]
    of_capital = estimate_elasticities(
        value["gdp_real_cny_100m"] / labour, stock / labour, np.array([11, 13, 13])
    )
    factors = {"labour": (labour, 1 - of_capital), "capital": (stock, of_capital)}
    for factor, (table, elasticity) in factors.items():
        called_for = output * elasticity[:, None]
        gamma = table / table.sum(axis=0) / (called_for / called_for.sum(axis=0))
        assert_allclose(made[f"{factor}_allocation"], np.log(gamma).ravel())
        assert_allclose(made[f"{factor}_misallocation"], np.abs(1 / gamma - 1).ravel())
    assert np.isnan(made["ln_fdi_per_head"].iloc[4])
    assert made["ln_credit_per_head"].iloc[0] == pytest.approx(
        math.log(frame["loans_cny_100m"][0] / frame["population_10k"][0])
    )
    assert made["ln_patents_per_head"].isna().all()


def test_growth_without_index_alone_leaves_out_what_nothing_confirms():
    keys = {"city_id": 110000, "year": range(2010, 2015)}
    growth = pd.DataFrame({**keys, "growth_official_pct": [9.0, 8.0, 7.0, NAN, 6.0]})
    evidence = ["printed", "index_alone", "index_confirmed", None, None]
    made = add_derived_series(growth.assign(growth_official_evidence=evidence))
    assert_allclose(made["growth_without_index_alone_pct"], [9, NAN, 7, NAN, 6])
    # without the evidence nothing can be said of any year
    assert add_derived_series(growth)["growth_without_index_alone_pct"].isna().all()


def test_a_frame_without_rows_or_inputs_has_all_series():
    made = add_derived_series(pd.DataFrame({"city_id": [], "year": []}))
    assert set(DERIVED) <= set(made.columns) and made.empty
