"""The data set of country pairs and the euro: what stands in it, recomputed from the file by other
means.
"""

import itertools

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
    assert FILE.stat().st_size < 200_000
    assert (countries["iso"].nunique(), countries["year"].min(), countries["year"].max()) == (
        41,
        1970,
        2017,
    )
    first = countries.dropna(subset=["euro_year"]).groupby("iso")["euro_year"].first().astype(int)
    assert first.value_counts().to_dict() == {
        1999: 11,
        2008: 2,
        2001: 1,
        2007: 1,
        2009: 1,
        2011: 1,
        2014: 1,
        2015: 1,
    }
    assert (
        countries.groupby("iso")["region"].nunique().eq(1).all()
        and countries["region"].nunique() == 10
    )


def test_mean_cm_of_a_pair_is_the_correlation_of_its_growth():
    countries = pd.read_csv(FILE)
    growth = (
        countries.pivot(index="year", columns="iso", values="gdp_real_usd_million")
        .apply(np.log)
        .diff()
        .loc[1980:2017]
        * 100
    )
    growth = growth.dropna(axis=1)
    pairs = cs.data.euro()
    assert pairs.groupby(["iso_a", "iso_b"]).ngroups == len(
        list(itertools.combinations(growth.columns, 2))
    )
    found = pairs.groupby(["iso_a", "iso_b"])["cm"].mean()
    correlation = growth.corr()
    for (a, b), value in found.items():
        assert value == pytest.approx(correlation.loc[a, b], abs=1e-10)
    gap = pairs.set_index(["iso_a", "iso_b", "year"])["neg_abs_gap"]
    assert gap["AUT", "BEL", 1999] == pytest.approx(
        -abs(growth.loc[1999, "AUT"] - growth.loc[1999, "BEL"])
    )


def test_kinds_of_frames_and_windows():
    assert isinstance(cs.data.euro("polars"), pl.DataFrame) and isinstance(
        cs.data.euro("pyarrow"), pa.Table
    )
    assert (
        isinstance(cs.data.euro_countries(), pd.DataFrame) and "growth" in cs.data.euro_countries()
    )
    late = cs.data.euro(first_year=1991)
    assert len(late) == 41 * 40 // 2 * 27
    for window in ({"first_year": 1960}, {"last_year": 2020}, {"first_year": 2016}):
        with pytest.raises(ValueError, match="expected three years or more within 1971 to 2017"):
            cs.data.euro(**window)
    with pytest.raises(ValueError, match="expected one of pandas"):
        cs.data.euro("spark")


def test_credit_and_licence_stand_beside_the_data():
    for page in (FILE.with_name("README.md"), REPO / "docs" / "licences.md"):
        text = page.read_text(encoding="utf-8")
        assert (
            "Penn World Table 9.1" in text
            and "Creative Commons Attribution 4.0" in text
            and "10.1257/aer.20130954" in text
        )
