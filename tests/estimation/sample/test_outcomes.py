"""Pair outcomes made from city series: every measure against a literal loop, and what a window or
series lacks.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from estimation.analyses.spec import SAME_ROWS, SampleError
from estimation.sample.outcomes import build_synchronization, split_outcome

YEARS = range(2008, 2020)


def city_years(gaps: dict[int, int]) -> pd.DataFrame:
    """Four cities; `gaps` names a year without a value by city."""
    rng = np.random.default_rng(3)
    rows = [
        (city, year, np.nan if gaps.get(city) == year else growth, rng.uniform(0.1, 0.4))
        for city in (110000, 120000, 130100, 130200)
        for year in YEARS
        for growth in (rng.normal(8, 2),)
    ]
    columns = ["city_id", "year", "growth_official_pct", "development_index"]
    return pd.DataFrame(rows, columns=columns)


def literal(measure: str, i: list[float], j: list[float], t: int) -> float:
    """The definitions of docs/methods, section 3, one number at a time."""
    n = len(i)
    mean = [sum(d) / n for d in (i, j)]
    sd = [math.sqrt(sum((x - m) ** 2 for x in d) / n) for d, m in zip((i, j), mean, strict=True)]
    z = [(d[t] - m) / s for d, m, s in zip((i, j), mean, sd, strict=True)]
    cm = 1 - (z[0] - z[1]) ** 2 / 2
    return {
        "cm": cm,
        "comove": z[0] * z[1],
        "dispersion": 1 - (z[0] ** 2 + z[1] ** 2) / 2,
        "cm_bounded": 0.5
        * math.log(
            (1 + min(max(cm, 3 - 2 * n + 1e-6), 1 - 1e-6) / (2 * n - 3)) / (1 - min(cm, 1 - 1e-6))
        ),
        "neg_abs_gap": -abs(i[t] - j[t]),
        "neg_abs_residual": -abs((i[t] - mean[0]) - (j[t] - mean[1])),
    }[measure]


@pytest.mark.parametrize("measure", SAME_ROWS)
def test_measures_equal_a_literal_loop_on_another_window(measure: str) -> None:
    """The window is cut before anything is standardised; a city with a gap inside it is out, a gap
    before it does no harm.
    """
    frame = city_years({130100: 2015, 120000: 2008})
    found = build_synchronization(frame, (f"{measure}_growth_official",), (2010, 2018))
    by_city = (
        frame[frame["year"].between(2010, 2018)]
        .groupby("city_id")["growth_official_pct"]
        .apply(list)
    )
    assert len(found) == 3 * 9
    for row in found.itertuples(index=False):
        expected = literal(measure, by_city[row.city_i_id], by_city[row.city_j_id], row.year - 2010)
        assert row[3] == pytest.approx(expected, abs=1e-12)


def test_an_index_enters_as_its_change_and_the_first_year_cannot_exist() -> None:
    found = build_synchronization(city_years({}), ("neg_abs_gap_development_index",), (2008, 2019))
    assert list(found["year"].unique()) == list(range(2009, 2020))
    wide = (
        city_years({})
        .pivot(index="year", columns="city_id", values="development_index")
        .diff()
        .dropna()
        * 100
    )
    first = found[(found["city_i_id"] == 110000) & (found["city_j_id"] == 120000)]
    np.testing.assert_allclose(first.iloc[:, 3], -(wide[110000] - wide[120000]).abs())


def test_names_of_outcomes() -> None:
    assert split_outcome("cm_bounded_growth_official") == ("cm_bounded", "growth_official")
    assert split_outcome("cm_hp_100") == ("cm", "hp_100")
    assert split_outcome("cm_pre_growth_official") is None


@pytest.mark.parametrize(
    ("outcome", "window", "message"),
    [
        ("rolling_corr_growth_official", (2010, 2019), "study window only"),
        ("cm_hp", (2010, 2019), "cycle_hp_pct of marts.fct_city_year"),
        ("cm_growth_official", (1990, 1995), "without gaps from 1990 to 1995"),
    ],
)
def test_what_lacks_is_named(outcome: str, window: tuple[int, int], message: str) -> None:
    with pytest.raises(SampleError, match=message):
        build_synchronization(city_years({}), (outcome,), window)
