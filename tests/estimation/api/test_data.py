"""The data set of country pairs and the euro: what stands in it, recomputed from the file by other
means.
"""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import estimation as cs
from tests.conftest import REPO

FILE = REPO / "estimation" / "data" / "euro_countries.csv"


def test_countries_regions_and_years_of_the_euro():
    countries = pd.read_csv(FILE)
    by_country = countries.groupby("iso")
    found = (len(by_country), countries["year"].min(), countries["year"].max())
    assert found == (41, 1970, 2017)
    first = by_country["euro_year"].first().dropna().astype(int)
    admitted = {1999: 11, 2008: 2, 2001: 1, 2007: 1, 2009: 1, 2011: 1, 2014: 1, 2015: 1}
    assert first.value_counts().to_dict() == admitted
    assert by_country["region"].nunique().eq(1).all() and countries["region"].nunique() == 10


def test_mean_cm_of_a_pair_is_the_correlation_of_its_growth():
    wide = pd.read_csv(FILE).pivot(index="year", columns="iso", values="gdp_real_usd_million")
    growth = (100 * np.log(wide).diff().loc[1980:2017]).dropna(axis=1)
    pairs = cs.data.euro()
    found = pairs.groupby(["iso_a", "iso_b"])["cm"].mean()
    n = growth.shape[1]
    assert len(found) == n * (n - 1) // 2
    correlation = growth.corr()
    expected = [correlation.loc[a, b] for a, b in found.index]
    np.testing.assert_allclose(found, expected, atol=1e-10)
    gap = pairs.set_index(["iso_a", "iso_b", "year"])["neg_abs_gap"]
    expected = -abs(growth.loc[1999, "AUT"] - growth.loc[1999, "BEL"])
    assert gap["AUT", "BEL", 1999] == pytest.approx(expected)


def test_kinds_of_frames_and_windows():
    kinds = {"polars": pl.DataFrame, "pyarrow": pa.Table}
    assert all(isinstance(cs.data.euro(name), kind) for name, kind in kinds.items())
    countries = cs.data.euro_countries()
    assert isinstance(countries, pd.DataFrame) and "growth" in countries
    assert len(cs.data.euro(first_year=1991)) == 41 * 40 // 2 * 27
