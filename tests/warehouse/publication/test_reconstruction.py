"""What a folder gives away is found in whatever form it is, and what it does not is not claimed."""

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from warehouse.publication.reconstruction.recovery import NEAR, best_recovery
from warehouse.publication.untrusted import DATABASE

YEARS = range(2010, 2020)
CITIES = range(110100, 110140)


@pytest.fixture(scope="module")
def growth() -> pd.DataFrame:
    """Growth of 40 made-up cities in ten years: a common cycle and shocks of their own."""
    rng = np.random.default_rng(4)
    common = 8 + 2 * rng.standard_normal(len(YEARS))
    own = 1.5 * rng.standard_normal((len(CITIES), len(YEARS)))
    level = rng.standard_normal((len(CITIES), 1))
    wide = pd.DataFrame(common + own + level, index=list(CITIES), columns=list(YEARS))
    wide.index.name = "city_id"
    wide.columns.name = "year"
    return wide


def withheld(growth: pd.DataFrame) -> pd.DataFrame:
    return growth.stack().rename("growth").reset_index()


def z_of(growth: pd.DataFrame) -> pd.DataFrame:
    return growth.sub(growth.mean(axis=1), axis=0).div(growth.std(axis=1, ddof=0), axis=0)


def pairs_of(growth: pd.DataFrame, value: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """A row a pair and year, with what is computed from the two rows of z."""
    z = z_of(growth).rename_axis(columns="year").stack().rename("z").reset_index()
    pairs = z.merge(z, on="year", suffixes=("_i", "_j"))
    pairs = pairs[pairs.city_id_i < pairs.city_id_j]
    names = {"city_id_i": "city_i_id", "city_id_j": "city_j_id"}
    return pairs.assign(value=value(pairs.z_i, pairs.z_j)).rename(columns=names)[
        ["city_i_id", "city_j_id", "year", "value"]
    ]


FORMS: dict[str, Callable[..., pd.Series]] = {
    "product": lambda first, second: first * second,
    "squared gap": lambda first, second: 1 - (first - second) ** 2 / 2,
    "gap": lambda first, second: -(first - second).abs(),
}


@pytest.mark.parametrize("value", FORMS.values(), ids=FORMS)
def test_yearly_values_of_pairs_give_growth_back(
    tmp_path: Path, growth: pd.DataFrame, value: Callable[..., pd.DataFrame]
) -> None:
    pairs_of(growth, value).to_parquet(tmp_path / "pairs.parquet")
    recovery = best_recovery(tmp_path, withheld(growth))
    assert recovery.best.median_miss < 1e-6
    assert recovery.best["columns"][0].startswith(f"{tmp_path.name}/")
    assert "pairs: value" in recovery.best["columns"][0]
    assert recovery.best.median_miss_without > NEAR
    assert not recovery.passes()


def test_means_of_pairs_over_some_years_give_growth_back(
    tmp_path: Path, growth: pd.DataFrame
) -> None:
    pairs = pairs_of(growth, FORMS["squared gap"])
    pairs["half"] = pairs.year.map(lambda year: "first" if year < 2015 else "second")
    means = pairs.groupby(["city_i_id", "city_j_id", "half"]).value.mean().reset_index()
    means.to_csv(tmp_path / "halves.csv", index=False)
    assert best_recovery(tmp_path, withheld(growth)).best.median_miss < 0.05


def test_standardised_series_give_growth_back(tmp_path: Path, growth: pd.DataFrame) -> None:
    lists = {"ids": list(CITIES), "z": z_of(growth).round(4).to_numpy().tolist()}
    lists["z"] = [dict(zip(map(str, YEARS), row, strict=True)) for row in lists["z"]]
    (tmp_path / "page.js").write_text(f'put("page",{json.dumps(lists)});', encoding="utf-8")
    recovery = best_recovery(tmp_path, withheld(growth))
    assert recovery.best.median_miss < 0.01
    assert not recovery.passes()


def into_scripts(folder: Path, cells: pd.DataFrame) -> None:
    """Write a script for each city, in which a year has a sentence."""
    for city, rows in cells.groupby("city_id"):
        said = json.dumps(dict(zip(rows.year.astype(str), rows.said, strict=True)))
        (folder / f"{city}.js").write_text(f"put({city},[],{said});", encoding="utf-8")


def into_database(folder: Path, cells: pd.DataFrame) -> None:
    with duckdb.connect(folder / DATABASE) as con:
        con.register("cells", cells[["city_name", "year", "growth"]])
        con.execute("create schema marts; create table marts.few as from cells")


LEAKS: dict[str, Callable[[Path, pd.DataFrame], object]] = {
    "sentences": lambda folder, cells: cells[["city_id", "year", "said"]].to_csv(
        folder / "flagged.csv", index=False
    ),
    "a page": lambda folder, cells: cells[["city_name", "year", "growth"]].to_html(
        folder / "page.html"
    ),
    "scripts": into_scripts,
    "a database": into_database,
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_a_few_repeated_values_are_found_wherever_they_stand(
    tmp_path: Path, growth: pd.DataFrame, leak: Callable[[Path, pd.DataFrame], object]
) -> None:
    """Also beside a city's name alone, and as an index in a sentence."""
    cells = withheld(growth).sample(12, random_state=1)
    cells["city_name"] = "City " + cells.city_id.astype(str)
    cells["said"] = [f"expected 7 of 3, found {100 * np.exp(g / 100):.2f}" for g in cells.growth]
    cells[["city_id", "city_name"]].to_csv(tmp_path / "names.csv", index=False)
    leak(tmp_path, cells)
    recovery = best_recovery(tmp_path, withheld(growth))
    assert recovery.best.median_miss < 0.01 and recovery.best.n_values == 12
    assert not recovery.passes()


def test_an_earlier_edition_and_this_one_give_a_year_back(
    tmp_path: Path, growth: pd.DataFrame
) -> None:
    """Each mean alone hides it."""
    for name, last in {"before": 2018, "now": 2019}.items():
        (tmp_path / name).mkdir()
        sums = growth.loc[:, :last].sum(axis=1).rename("sum_of_growth")
        sums.to_csv(tmp_path / name / "sums.csv")
    now = tmp_path / "now"
    assert best_recovery(now, withheld(growth)).routes.median_miss.min() > NEAR
    both = best_recovery(now, withheld(growth), earlier=[tmp_path / "before"])
    assert both.best.median_miss < 0.01
    assert both.best.route == "all columns, one year"


@pytest.mark.parametrize("form", ["by cohort", "of all cohorts and the others"])
def test_coefficients_of_a_cohort_of_one_give_its_growth_back(
    tmp_path: Path, growth: pd.DataFrame, form: str
) -> None:
    z = z_of(growth)
    city, others = z.iloc[0], z.iloc[1:]
    outcomes = {
        "comove_growth": (others * city).mean() - others.mean() ** 2,
        "dispersion_growth": -(city**2 - (others**2).mean()) / 2,
    }
    rows = []
    for outcome, by_year in outcomes.items():
        for year in range(2011, 2020):
            base = min(year - 1, 2014)
            rows.append((outcome, 2015, year - 2015, by_year[year] - by_year[base]))
    names = ["outcome", "cohort_year", "event_time", "estimate"]
    cells = pd.DataFrame(rows, columns=names).assign(n_pilots=1, estimator="callaway_santanna")
    if form != "by cohort":
        others = cells.assign(cohort_year=2016, n_pilots=12, estimate=0.25)
        whole = (cells.estimate + 12 * others.estimate) / 13
        cells = pd.concat([others, cells.assign(cohort_year=None, n_pilots=13, estimate=whole)])
    cells.to_csv(tmp_path / "estimates.csv", index=False)
    zones = pd.DataFrame({"city_id": list(CITIES), "treated_year": [2015] + 39 * [None]})
    zones.to_csv(tmp_path / "cities.csv", index=False)
    recovery = best_recovery(tmp_path, withheld(growth))
    assert recovery.routes.route.iloc[0] == "a group of one city"
    assert recovery.best.median_miss < 0.1
    assert not recovery.passes()


def test_what_says_little_passes(tmp_path: Path, growth: pd.DataFrame) -> None:
    """A mean over all pairs of a city, a column that has nothing to do with growth, and
    coefficients of a cohort of many cities.
    """
    zones = pd.DataFrame({"city_id": list(CITIES), "treated_year": 2016})
    zones.to_csv(tmp_path / "zones.csv", index=False)
    of_all = {"outcome": "comove_growth", "estimator": "sun_abraham", "cohort_year": 2016}
    cells = pd.DataFrame({"event_time": range(4), "estimate": 0.1, "n_pilots": 40})
    cells.assign(**of_all).to_csv(tmp_path / "estimates.csv", index=False)
    z = z_of(growth)
    mean = 1 - ((z - z.mean()) ** 2 + z.var(ddof=0)).mean(axis=1) / 2
    noise = np.random.default_rng(1).standard_normal(len(CITIES))
    mean.rename("synchronization").to_frame().assign(noise=noise).to_csv(tmp_path / "city.csv")
    recovery = best_recovery(tmp_path, withheld(growth))
    assert recovery.best.median_miss > 0.9 * recovery.best.median_miss_without
    assert recovery.passes()


def test_too_few_values_are_refused(tmp_path: Path, growth: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="found 20 in 10"):
        best_recovery(tmp_path, withheld(growth.head(20)))
