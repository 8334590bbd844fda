"""Capital stocks, elasticities and factor wedges against hand-worked figures and literal loops."""

import math

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from estimation.measures.derived_series import DERIVED, add_derived_series
from estimation.measures.misallocation import accumulate_capital, allocate, estimate_elasticities

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


def test_derived_series_against_literal_loops():
    rng = np.random.default_rng(3)
    cities, years = (110000, 130100, 130200), range(2005, 2015)
    rows = [{"city_id": c, "year": y} for c in cities for y in years]
    frame = pd.DataFrame(rows)
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
    made = add_derived_series(frame).set_index(["city_id", "year"])
    value = frame.set_index(["city_id", "year"])
    price, real = {}, np.empty((3, 10))
    for i, c in enumerate(cities):
        for t, y in enumerate(years):
            price[c, y] = (
                1.0 if t == 0 else price[c, y - 1] * value.at[(c, y), "cpi_prev_year_100"] / 100
            )
            real[i, t] = value.at[(c, y), "fixed_investment_cny_100m"] / price[c, y]
    stock = accumulate_capital(real)
    labour = frame["employed_10k"].to_numpy().reshape(3, 10)
    of_capital = estimate_elasticities(
        frame["gdp_real_cny_100m"].to_numpy().reshape(3, 10) / labour,
        stock / labour,
        np.array([11, 13, 13]),
    )
    output = frame["gdp_nominal_cny_100m"].to_numpy().reshape(3, 10)
    for i, c in enumerate(cities):
        for t, y in enumerate(years):
            for factor, table, b in (
                ("labour", labour, 1 - of_capital),
                ("capital", stock, of_capital),
            ):
                called_for = output[i, t] * b[i] / sum(output[k, t] * b[k] for k in range(3))
                gamma = table[i, t] / table[:, t].sum() / called_for
                assert made.at[(c, y), f"{factor}_allocation"] == pytest.approx(math.log(gamma))
                assert made.at[(c, y), f"{factor}_misallocation"] == pytest.approx(
                    abs(1 / gamma - 1)
                )
    assert np.isnan(made["ln_fdi_per_head"].iloc[4])
    assert made["ln_credit_per_head"].iloc[0] == pytest.approx(
        math.log(frame["loans_cny_100m"][0] / frame["population_10k"][0])
    )
    assert made["ln_patents_per_head"].isna().all()


def test_a_frame_without_rows_or_inputs_has_all_series():
    made = add_derived_series(pd.DataFrame({"city_id": [], "year": []}))
    assert set(DERIVED) <= set(made.columns) and made.empty
