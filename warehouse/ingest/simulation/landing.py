"""A simulated landing with a planted effect: one set of shocks, two landings, three unlike layouts.

`<folder>/with_effect/` and `<folder>/without_effect/` hold the sources `sim_wide_panel` (one row per city-year, two editions),
`sim_indicator_sheets` (one sheet per indicator, years across, latest first), `tidy` and `policy_texts` (one plan per zone: the more demand
tools a plan has, the larger is the effect of the zone). Every file says that it is simulated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from warehouse.ingest.simulation.economy import simulate_economies
from warehouse.ingest.simulation.files import Row, write_bytes, write_workbook
from warehouse.ingest.simulation.levels import CityLevels, simulate_levels
from warehouse.ingest.simulation.policy_texts import draw_policy_tools, effective_intensity, write_simulated_policy_texts

DEFAULT_EFFECT = 0.9
#: The date of the first admission, fixed before any draw was looked at: a seed chosen for a pretty result would make the default run a
#: staged one. Whether intervals cover is judged over many economies (`benchmarks/simulation_study`), not by this draw.
DEFAULT_SEED = 20150307
FIRST_YEAR, LAST_YEAR = 2003, 2021
# the wide panel comes twice: as the newest year was first released, and a year later
EDITIONS = (LAST_YEAR, LAST_YEAR + 1)
MISSING_SHARE = 0.02
NOTE = "模拟数据 simulated data, not statistics"

#: Header as delivered, indicator, decimals; the order of the columns of the wide panel.
WIDE_COLUMNS = (
    ("地区生产总值（亿元）", "gdp_nominal_cny_100m", 2),
    ("GDP增长率（%）", "gdp_growth_official_pct", 1),
    ("人均地区生产总值（元）", "gdp_per_capita_cny", 0),
    ("第一产业增加值（亿元）", "value_added_primary_cny_100m", 2),
    ("第二产业增加值（亿元）", "value_added_secondary_cny_100m", 2),
    ("第三产业增加值（亿元）", "value_added_tertiary_cny_100m", 2),
    ("户籍人口（万人）", "population_registered_10k", 2),
    ("在岗职工平均工资（元）", "wage_avg_cny", 0),
    ("在岗职工工资总额（万元）", "wage_bill_cny_10k", 0),
    ("实际使用外资金额（万美元）", "fdi_usd_1m", 0),
)
#: Sheet, title with unit, indicator, factor from the canonical unit, decimals, how cities are spelled.
INDICATOR_SHEETS = (
    ("地区生产总值", "地区生产总值（万元）", "gdp_first_release", 10_000.0, 0, "short"),
    ("贷款余额", "年末金融机构各项贷款余额（万元）", "loans_cny_100m", 10_000.0, 0, "short"),
    ("存款余额", "年末金融机构各项存款余额（万元）", "deposits_cny_100m", 10_000.0, 0, "short"),
    ("常住人口", "年末常住人口（万人）", "population_resident_10k", 1.0, 2, "short"),
    ("行政区域面积", "行政区域土地面积（平方公里）", "area_km2", 1.0, 0, "english"),
)
#: Indicator, unit text, factor from the canonical unit, decimals of the tidy file.
TIDY_INDICATORS = (
    ("employed_10k", "万人", 1.0, 2),
    ("employed_education_10k", "人", 10_000.0, 0),
    ("employed_information_10k", "人", 10_000.0, 0),
)
#: Indicators that a study cannot do without: gaps only in a few cities.
CORE = frozenset({"gdp_nominal_cny_100m", "gdp_growth_official_pct", "gdp_first_release"})
N_CITIES_WITH_GAPS = 15


@dataclass(frozen=True)
class _Published:
    """What is written: cities (rows of `roster`), years and one table per indicator, NaN = not delivered."""

    roster: pd.DataFrame
    years: np.ndarray
    tables: dict[str, np.ndarray]
    first_release: np.ndarray
    consumer_prices: pd.DataFrame


def first_treated_years(city_id: np.ndarray, pilot_zones: pd.DataFrame) -> np.ndarray:
    """First treated year of each city under `second_half_next_year`, 0 for never; zones of whole prefectures only.

    Parameters
    ----------
    city_id : ndarray of int, shape (n_cities,)
    pilot_zones : DataFrame
        Columns city_id, approval_date, is_whole_prefecture (seed pilot_zones).

    Returns
    -------
    ndarray of int, shape (n_cities,)
    """
    zones = pilot_zones[pilot_zones["is_whole_prefecture"].astype(str).str.lower() == "true"]
    dates = pd.to_datetime(zones["approval_date"])
    first = (dates.dt.year + (dates.dt.month > 6)).groupby(zones["city_id"].to_numpy()).min()
    return pd.Series(city_id).map(first).fillna(0).to_numpy().astype(int)


def choose_cities(roster: pd.DataFrame, pilot_zones: pd.DataFrame, n_cities: int | None, first_year: int, last_year: int) -> pd.DataFrame:
    """Cities of the simulated landing: all that publish statistics in the span, or an even choice that keeps pilots.

    Parameters
    ----------
    roster, pilot_zones : DataFrame
        The seeds city_roster and pilot_zones.
    n_cities : int or None
        None for all; else this many, about a third of them admitted by 2019 (all if fewer), evenly along the codes.
    first_year, last_year : int

    Returns
    -------
    DataFrame
        Rows of the roster, sorted by city_id.

    Raises
    ------
    ValueError
        If `n_cities` is below 2 or above the number of cities.
    """
    ends = roster["valid_to_year"].fillna(9999)
    # Sansha publishes no accounts of its own
    valid = roster[(roster["valid_from_year"] <= last_year) & (ends >= first_year) & (roster["city_id"] != 460300)].sort_values("city_id")
    if n_cities is None:
        return valid.reset_index(drop=True)
    lasting = valid[(valid["valid_from_year"] <= first_year) & (valid["valid_to_year"].fillna(9999) >= last_year)]
    if not 2 <= n_cities <= len(lasting):
        raise ValueError(f"n_cities must lie between 2 and {len(lasting)}; found {n_cities}; choose a number in that range or none for all")
    treated = first_treated_years(lasting["city_id"].to_numpy(), pilot_zones)
    early = (treated > 0) & (treated <= 2019)
    n_early = min(int(early.sum()), n_cities // 3)
    rows = np.sort(np.concatenate([_evenly(np.flatnonzero(early), n_early), _evenly(np.flatnonzero(~early), n_cities - n_early)]))
    return lasting.iloc[rows].reset_index(drop=True)


def _evenly(positions: np.ndarray, n: int) -> np.ndarray:
    """n of the positions, evenly spaced."""
    return positions[(np.arange(n) * len(positions)) // max(n, 1)]


def write_simulated_landing(
    folder: Path,
    *,
    roster: pd.DataFrame,
    pilot_zones: pd.DataFrame,
    seed: int = DEFAULT_SEED,
    n_cities: int | None = None,
    effect: float = DEFAULT_EFFECT,
    first_year: int = FIRST_YEAR,
    last_year: int = LAST_YEAR,
) -> None:
    """Write `<folder>/with_effect/` and `<folder>/without_effect/` from the same shocks.

    Parameters
    ----------
    folder : Path
        Made if absent; files of the same names are replaced.
    roster, pilot_zones : DataFrame
        The seeds city_roster and pilot_zones.
    seed : int
        The same seed and arguments give the same bytes.
    n_cities : int, optional
        None for every city of the span, else an even choice (see `choose_cities`).
    effect : float
        See `simulate_economies`; 0 makes both landings equal.
    first_year, last_year : int
        Span of the panel, within 2001-2023.
    """
    cities = choose_cities(roster, pilot_zones, n_cities, first_year, last_year)
    years = np.arange(first_year, last_year + 1)
    shocks, levels_seed, gaps_seed = np.random.SeedSequence(seed).spawn(3)
    tools = draw_policy_tools(pilot_zones, seed, last_year)
    economy = simulate_economies(
        province=cities["province_id"].to_numpy(),
        region=cities["region"].to_numpy(dtype=object).astype(str),
        treated_year=first_treated_years(cities["city_id"].to_numpy(), pilot_zones),
        years=years,
        effect=effect,
        rng=np.random.default_rng(shocks),
        intensity=effective_intensity(cities["city_id"].to_numpy(), tools),
    )
    for name, growth in (("with_effect", economy.growth_with_pct), ("without_effect", economy.growth_without_pct)):
        levels = simulate_levels(
            growth_pct=growth,
            shadow_growth_pct=economy.growth_without_pct,
            roster=cities,
            years=years,
            rng=np.random.default_rng(levels_seed),
        )
        published = _publish(cities, years, levels, np.random.default_rng(gaps_seed))
        _write_landing(Path(folder) / name, published)
        write_simulated_policy_texts(Path(folder) / name, tools, seed)


def _publish(cities: pd.DataFrame, years: np.ndarray, levels: CityLevels, rng: np.random.Generator) -> _Published:
    """Blank what is not delivered: about 2 % at random, gaps of the core series in a few cities, years outside a city's life."""
    exists = (years >= cities["valid_from_year"].to_numpy()[:, None]) & (years <= cities["valid_to_year"].fillna(9999).to_numpy()[:, None])
    with_gaps = np.zeros(len(cities), dtype=bool)
    with_gaps[rng.permutation(len(cities))[: min(N_CITIES_WITH_GAPS, len(cities) // 10)]] = True
    tables = {}
    for indicator, table in sorted({**levels.tables, "gdp_first_release": levels.gdp_first_release_cny_100m}.items()):
        missing = rng.random(table.shape) < (0.15 if indicator in CORE else MISSING_SHARE)
        if indicator in CORE:
            missing &= with_gaps[:, None]
        tables[indicator] = np.where(exists & ~missing, table, np.nan)
    return _Published(cities, years, tables, levels.gdp_first_release_cny_100m, levels.consumer_prices)


def _cell(value: float, decimals: int, blank: str | None = None) -> object:
    """A number as a workbook would hold it; blank where nothing is delivered."""
    if np.isnan(value):
        return blank
    rounded = round(float(value), decimals)
    return int(rounded) if decimals == 0 else rounded


def _write_landing(folder: Path, data: _Published) -> None:
    last = int(data.years[-1])
    for edition in (last, last + 1):
        rows = _wide_rows(data, edition)
        write_workbook(folder / "sim_wide_panel" / str(edition) / "城市统计面板_模拟.xlsx", [("面板数据", rows)])
    sheets = [(sheet, _sheet_rows(data, *rest)) for sheet, *rest in INDICATOR_SHEETS]
    sheets.append(("说明", iter([[NOTE], ["本工作簿为模拟数据，不是统计数据。"]])))
    write_workbook(folder / "sim_indicator_sheets" / "分指标数据_模拟.xlsx", sheets)
    write_bytes(folder / "tidy" / "observations_simulated.csv", "".join(_tidy_lines(data)).encode())


def _wide_rows(data: _Published, edition: int) -> Iterator[Row]:
    """The wide panel of an edition: years before it, its last three still as first released, a subtotal row after each province."""
    yield [f"城市统计面板（{NOTE}）"]
    yield ["省份", "城市", "年份", *(header for header, _, _ in WIDE_COLUMNS), "备注"]
    columns = [(_edition_table(data, indicator, edition), decimals) for _, indicator, decimals in WIDE_COLUMNS]
    years = [(t, int(year)) for t, year in enumerate(data.years) if year < edition]
    provinces = data.roster["province_name_zh"].tolist()
    names = data.roster["city_name_zh"].tolist()
    for i, (province, name) in enumerate(zip(provinces, names, strict=True)):
        for t, year in years:
            values = [_cell(table[i, t], decimals, "…") for table, decimals in columns]
            if any(value != "…" for value in values):
                yield [province, name, year, *values, None]
        if i + 1 == len(names) or provinces[i + 1] != province:
            yield _subtotal(data, province, columns[0][0], years[-1])
    yield [f"注：{NOTE}。“…”表示未提供。"]


def _edition_table(data: _Published, indicator: str, edition: int) -> np.ndarray:
    if indicator == "fdi_usd_1m":
        return data.tables[indicator] * 100.0
    if indicator != "gdp_nominal_cny_100m" or edition > int(data.years[-1]):
        return data.tables[indicator]
    table = data.tables[indicator].copy()
    recent = data.years >= edition - 3
    table[:, recent] = np.where(np.isnan(table[:, recent]), np.nan, data.first_release[:, recent])
    return table


def _subtotal(data: _Published, province: str, gdp: np.ndarray, last: tuple[int, int]) -> Row:
    rows = (data.roster["province_name_zh"] == province).to_numpy()
    return [province, f"{province}合计", last[1], _cell(float(np.nansum(gdp[rows, last[0]])), 2)]


def _sheet_rows(data: _Published, title: str, indicator: str, factor: float, decimals: int, spelling: str) -> Iterator[Row]:
    """One indicator in the manner of the statistics bureau's exports: three lines above, latest year first, a source line."""
    years = data.years[::-1]
    yield [f"数据库：主要城市年度数据（{NOTE}）"]
    yield [f"指标：{title}"]
    yield [f"时间：最近{len(years)}年"]
    yield ["地区", *(f"{int(year)}年" for year in years)]
    for name, values in zip(_spell(data.roster, spelling), data.tables[indicator][:, ::-1] * factor, strict=True):
        if not np.isnan(values).all():
            yield [name, *(_cell(value, decimals) for value in values)]
    yield [f"数据来源：{NOTE}"]


def _spell(roster: pd.DataFrame, spelling: str) -> list[str]:
    """City names: English, or Chinese without the word for city."""
    return roster["city_name_en"].tolist() if spelling == "english" else [name.removesuffix("市") for name in roster["city_name_zh"]]


def _tidy_lines(data: _Published) -> Iterator[str]:
    yield "city_id,year,indicator_id,value,unit\n"
    for row in data.consumer_prices.itertuples():
        yield f"{row.province_id},{row.year},cpi_prev_year_100,{row.cpi_prev_year_100:.1f},上年=100\n"
    ids = data.roster["city_id"].tolist()
    for indicator, unit, factor, decimals in TIDY_INDICATORS:
        for city_id, values in zip(ids, data.tables[indicator] * factor, strict=True):
            for year, value in zip(data.years, values, strict=True):
                if not np.isnan(value):
                    yield f"{city_id},{year},{indicator},{value:.{decimals}f},{unit}\n"
