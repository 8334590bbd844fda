"""The simulated landing: moments of growth, the planted effect, what it touches, and bytes that repeat."""

from __future__ import annotations

import filecmp
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import python_calamine

from warehouse.ingest.simulation.landing import choose_cities, first_treated_years, simulate_economies, write_simulated_landing
from warehouse.ingest.simulation.levels import simulate_levels

SEEDS = Path(__file__).resolve().parents[4] / "warehouse" / "seeds"
YEARS = np.arange(2003, 2022)
WINDOW = (YEARS >= 2010) & (YEARS <= 2019)
WIDE = "sim_wide_panel/2022/城市统计面板_模拟.xlsx"


@pytest.fixture(scope="module")
def seeds() -> tuple[pd.DataFrame, pd.DataFrame]:
    return pd.read_csv(SEEDS / "city_roster.csv"), pd.read_csv(SEEDS / "pilot_zones.csv")


@pytest.fixture(scope="module")
def lasting(seeds) -> pd.DataFrame:
    roster = seeds[0]
    return roster[(roster.valid_from_year <= 2003) & roster.valid_to_year.isna()].reset_index(drop=True)


def simulate(cities: pd.DataFrame, zones: pd.DataFrame, seed: int, effect: float = 0.9):
    return simulate_economies(
        province=cities.province_id.to_numpy(),
        region=cities.region.to_numpy(dtype=object).astype(str),
        treated_year=first_treated_years(cities.city_id.to_numpy(), zones),
        years=YEARS,
        effect=effect,
        rng=np.random.default_rng(seed),
    )


def standardised(growth: np.ndarray) -> np.ndarray:
    window = growth[:, WINDOW]
    return (window - window.mean(axis=1, keepdims=True)) / window.std(axis=1, keepdims=True)


def moments(growth: np.ndarray, province: np.ndarray) -> dict[str, float]:
    z = standardised(growth)
    above = np.triu_indices(len(z), 1)
    residual = z - z.mean(axis=0)
    same = (province[:, None] == province)[above]
    both_ways = growth[:, WINDOW] - growth[:, WINDOW].mean(axis=1, keepdims=True)
    return {
        "sd_within_city": growth[:, WINDOW].std(axis=1).mean(),
        "pair_correlation": np.corrcoef(z)[above].mean(),
        "province_correlation": np.corrcoef(residual)[above][same].mean(),
        "sd_net_of_years": (both_ways - both_ways.mean(axis=0)).std(),
    }


@pytest.mark.parametrize(
    ("moment", "low", "high"),  # the two measured values of each moment, widened by a tenth
    [
        ("sd_within_city", 2.77 * 0.9, 3.23 * 1.1),
        ("pair_correlation", 0.72 * 0.9, 0.75 * 1.1),
        ("province_correlation", 0.35 * 0.9, 0.44 * 1.1),
        ("sd_net_of_years", 1.95 * 0.9, 2.37 * 1.1),
    ],
)
def test_moments_near_calibration(seeds, lasting, moment, low, high):
    draws = [moments(simulate(lasting, seeds[1], seed).growth_without_pct, lasting.province_id.to_numpy())[moment] for seed in range(10)]
    assert low < np.mean(draws) < high


def two_way(table: np.ndarray) -> np.ndarray:
    return table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + table.mean()


def test_effect_raises_synchronization_through_comovement(seeds, lasting):
    """Least squares with pair and year effects on one-pilot and no-pilot pairs: gain in cm and in co-movement, mean of ten draws."""
    treated = first_treated_years(lasting.city_id.to_numpy(), seeds[1])
    treated = np.where(treated > 2019, 0, treated)
    i, j = np.triu_indices(len(treated), 1)
    kept = (treated[i] == 0) | (treated[j] == 0)
    i, j = i[kept], j[kept]
    start = (treated[i] + treated[j])[:, None]
    dummy = two_way(((start > 0) & (YEARS[WINDOW] >= start)).astype(float))
    gains = []
    for seed in range(10):
        economy = simulate(lasting, seeds[1], seed)
        z_with, z_without = standardised(economy.growth_with_pct), standardised(economy.growth_without_pct)
        cm = (z_without[i] - z_without[j]) ** 2 / 2 - (z_with[i] - z_with[j]) ** 2 / 2
        comove = z_with[i] * z_with[j] - z_without[i] * z_without[j]
        gains.append([(dummy * gain).sum() / (dummy**2).sum() for gain in (cm, comove)])
    cm, comove = np.mean(gains, axis=0)
    assert 0.05 < cm < 0.3
    assert comove > 0.75 * cm


def test_effect_touches_only_admitted_pilots(seeds, lasting):
    economy = simulate(lasting, seeds[1], 7)
    treated = first_treated_years(lasting.city_id.to_numpy(), seeds[1])[:, None]
    admitted = (treated > 0) & (treated <= YEARS)
    changed = economy.growth_with_pct != economy.growth_without_pct
    assert (changed == admitted).all()
    assert (simulate(lasting, seeds[1], 7, effect=0.0).growth_with_pct == economy.growth_without_pct).all()


@pytest.mark.parametrize(
    ("city_id", "year"),  # December 2019 counts from 2020; Yiwu does not treat Jinhua, admitted in January 2022; Beijing July 2018
    [(330100, 2015), (310000, 2016), (110000, 2019), (320300, 2020), (330700, 2022), (441900, 2019), (222400, 0), (130600, 0)],
)
def test_first_treated_years(seeds, city_id, year):
    assert first_treated_years(np.array([city_id]), seeds[1]).tolist() == [year]


@pytest.mark.parametrize(
    ("effect", "years", "message"),
    [(1.5, YEARS, "effect must lie between 0 and 1; found 1.5"), (0.5, np.arange(1990, 2000), "years must lie between 2001 and 2023")],
)
def test_bad_arguments_are_named(lasting, effect, years, message):
    labels = lasting.province_id.to_numpy()
    zeros = np.zeros(len(labels), dtype=int)
    with pytest.raises(ValueError, match=message):
        simulate_economies(province=labels, region=labels, treated_year=zeros, years=years, effect=effect, rng=np.random.default_rng(1))


def test_deflated_growth_follows_official_growth(seeds, lasting):
    """Growth of nominal output less provincial inflation correlates with published growth as in the real files (0.74)."""
    growth = simulate(lasting, seeds[1], 3).growth_without_pct
    levels = simulate_levels(growth_pct=growth, shadow_growth_pct=growth, roster=lasting, years=YEARS, rng=np.random.default_rng(3))
    index = levels.consumer_prices.pivot_table(index="province_id", columns="year", values="cpi_prev_year_100")
    inflation = 100 * np.log(index.loc[lasting.province_id.to_numpy()].to_numpy() / 100)
    deflated = 100 * np.diff(np.log(levels.tables["gdp_nominal_cny_100m"]), axis=1) - inflation[:, 1:]
    assert 0.65 < np.corrcoef(deflated.ravel(), growth[:, 1:].ravel())[0, 1] < 0.85


@pytest.mark.parametrize("n_cities", [40, 120])
def test_small_choice_keeps_pilots_and_provinces(seeds, n_cities):
    cities = choose_cities(*seeds, n_cities, 2003, 2021)
    treated = first_treated_years(cities.city_id.to_numpy(), seeds[1])
    assert len(cities) == n_cities == cities.city_id.nunique()
    assert cities.province_id.nunique() >= 20
    assert ((treated > 0) & (treated <= 2019)).sum() >= 12
    with pytest.raises(ValueError, match="n_cities must lie between 2 and"):
        choose_cities(*seeds, 1000, 2003, 2021)


def read_wide(landing: Path) -> pd.DataFrame:
    rows = python_calamine.CalamineWorkbook.from_path(str(landing / WIDE)).get_sheet_by_name("面板数据").to_python()
    table = pd.DataFrame(rows[2:], columns=rows[1]).replace({"…": np.nan, "": np.nan})
    return table[table["年份"].notna() & ~table["城市"].astype(str).str.endswith("合计")]


@pytest.fixture(scope="module")
def landings(seeds, tmp_path_factory) -> tuple[Path, Path, Path]:
    folder = tmp_path_factory.mktemp("simulated")
    for name, effect in (("a", 0.9), ("b", 0.9), ("none", 0.0)):
        write_simulated_landing(folder / name, roster=seeds[0], pilot_zones=seeds[1], n_cities=30, effect=effect)
    return folder / "a", folder / "b", folder / "none"


def relative_files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_same_seed_same_bytes_and_no_effect_no_difference(landings):
    first, second, none = landings
    names = relative_files(first)
    assert len([name for name in names if "policy_texts" not in name]) == 8
    assert filecmp.cmpfiles(first, second, names, shallow=False) == (names, [], [])
    inside = relative_files(none / "with_effect")
    assert filecmp.cmpfiles(none / "with_effect", none / "without_effect", inside, shallow=False) == (inside, [], [])


def test_files_differ_only_where_growth_enters(seeds, landings):
    with_effect, without = (read_wide(landings[0] / name).reset_index(drop=True) for name in ("with_effect", "without_effect"))
    zones = seeds[1].assign(treated=first_treated_years(seeds[1].city_id.to_numpy(), seeds[1]))
    treated = seeds[0].merge(zones[["city_id", "treated"]].drop_duplicates(), on="city_id").set_index("city_name_zh").treated
    first = with_effect["城市"].map(treated).fillna(0)
    admitted = (first > 0) & (with_effect["年份"].astype(int) >= first)
    assert admitted.sum() > 10
    touched = ["地区生产总值（亿元）", "GDP增长率（%）", "人均地区生产总值（元）", *(f"第{n}产业增加值（亿元）" for n in "一二三")]
    for column in with_effect.columns:
        differs = ~((with_effect[column] == without[column]) | (with_effect[column].isna() & without[column].isna()))
        assert not (differs & ~admitted).any(), column
        assert differs.any() == (column in touched), column
    tidy = "tidy/observations_simulated.csv"
    assert (landings[0] / "with_effect" / tidy).read_bytes() == (landings[0] / "without_effect" / tidy).read_bytes()


def test_full_landing_is_complete_enough(seeds, tmp_path):
    write_simulated_landing(tmp_path, roster=seeds[0], pilot_zones=seeds[1])
    table = read_wide(tmp_path / "with_effect")
    span = table[table["年份"].between(2005, 2019)]
    for column in ("地区生产总值（亿元）", "GDP增长率（%）"):
        complete = span.groupby("城市")[column].count() == 15
        assert complete.sum() >= 290
        assert 3 <= (~complete).sum() <= 40
    assert 0.01 < table["户籍人口（万人）"].isna().mean() < 0.03
    assert table["GDP增长率（%）"].abs().max() < 40
