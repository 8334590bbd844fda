"""A simulated landing with a planted effect: one set of shocks, two landings, three forms of
tables.

`<folder>/with_effect/` and `<folder>/without_effect/` hold the sources `sim_wide_panel` (one row
per city-year, two editions), `sim_indicator_sheets` (one sheet per indicator, years across, latest
first), `tidy` and `policy_texts` (one plan per zone: the more demand tools a plan has, the larger
is the effect of the zone). Every file says that it is simulated. `<folder>/planted.csv` says what
was planted.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from warehouse.ingest.roster import (
    OPTIONAL,
    PLACE_COLUMNS,
    PLACES_SOURCE,
    ROSTER,
    ZONE_COLUMNS,
    ZONES,
)
from warehouse.ingest.simulation.files import Row, write_bytes, write_workbook
from warehouse.ingest.simulation.policy_texts import write_simulated_policy_texts
from warehouse.ingest.simulation.published import (
    DEFAULT_SEED,
    Published,
    SimulatedStatistics,
    simulate_statistics,
)

#: Beside both landings, not inside: what was planted, which no landing knows.
PLANTED = "planted.csv"
NOTE = "模拟数据 simulated data, not statistics"

#: Header as delivered, indicator, decimals; the order of the columns of the wide panel.
WIDE_COLUMNS = (
    ("地区生产总值（亿元）", "gdp_nominal_cny_100m", 2),
    ("GDP增长率（%）", "gdp_growth_official_pct", 1),
    ("实际地区生产总值（亿元）", "gdp_real_cny_100m", 2),
    ("人均地区生产总值（元）", "gdp_per_capita_cny", 0),
    ("第一产业增加值（亿元）", "value_added_primary_cny_100m", 2),
    ("第二产业增加值（亿元）", "value_added_secondary_cny_100m", 2),
    ("第三产业增加值（亿元）", "value_added_tertiary_cny_100m", 2),
    ("户籍人口（万人）", "population_registered_10k", 2),
    ("在岗职工平均工资（元）", "wage_avg_cny", 0),
    ("在岗职工工资总额（万元）", "wage_bill_cny_10k", 0),
    ("实际使用外资金额（万美元）", "fdi_usd_1m", 0),
)
#: Sheet, title with unit, indicator, factor from the canonical unit, decimals, how cities are
#: spelled.
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
    ("fixed_investment_cny_100m", "亿元", 1.0, 2),
    ("patents_granted", "件", 1.0, 0),
    ("firms_new", "户", 1.0, 0),
    ("students_college_10k", "人", 10_000.0, 0),
    ("internet_users_10k", "万户", 1.0, 2),
    ("telecom_revenue_cny_100m", "亿元", 1.0, 3),
    ("fiscal_revenue_cny_100m", "亿元", 1.0, 2),
    ("fiscal_expenditure_cny_100m", "亿元", 1.0, 2),
    ("science_expenditure_cny_100m", "亿元", 1.0, 4),
    ("night_lights_nw_cm2_sr", "nw_cm2_sr", 1.0, 1),
)


def write_simulated_landing(
    folder: Path,
    *,
    roster: pd.DataFrame,
    pilot_zones: pd.DataFrame,
    n_cities: int | None = None,
) -> None:
    """Write `<folder>/with_effect/` and `<folder>/without_effect/` from the same shocks, and
    `<folder>/planted.csv`; the same arguments give the same bytes.

    Parameters
    ----------
    folder : Path
        Made if absent; files of the same names are replaced.
    roster, pilot_zones : DataFrame
        The seeds city_roster and pilot_zones; or places below them with `parent_id` (see
        `counties`), which the landing then brings along.
    n_cities : int, optional
        None for every city of the span, else an even choice (see `choose_cities`).
    """
    made = simulate_statistics(roster=roster, pilot_zones=pilot_zones, n_cities=n_cities)
    for name in ("with_effect", "without_effect"):
        _write_landing(Path(folder) / name, getattr(made, name))
        if "parent_id" in roster:
            _write_places(Path(folder) / name / PLACES_SOURCE, roster, pilot_zones)
        write_simulated_policy_texts(Path(folder) / name, made.tools, DEFAULT_SEED)
    write_bytes(Path(folder) / PLANTED, _planted(made).to_csv(index=False).encode())


def _write_places(folder: Path, roster: pd.DataFrame, pilot_zones: pd.DataFrame) -> None:
    """The landing's own roster and zones, as somebody who has counties would deliver them."""
    places = roster[[*PLACE_COLUMNS, *OPTIONAL]].astype({"valid_to_year": "Int64"})
    write_bytes(folder / ROSTER, places.to_csv(index=False, lineterminator="\n").encode())
    write_bytes(
        folder / ZONES,
        pilot_zones[list(ZONE_COLUMNS)].to_csv(index=False, lineterminator="\n").encode(),
    )


def _planted(made: SimulatedStatistics) -> pd.DataFrame:
    """Return what admission does to growth, a row a treated city and year: both channels."""
    economy = made.economy
    city, year = np.nonzero(economy.is_treated)
    names = ("own_variance_ratio", "loading_rise", "loading_part_pct")
    keys = {
        "city_id": made.with_effect.roster["city_id"].to_numpy()[city],
        "year": economy.years[year],
    }
    return pd.DataFrame(
        {**keys, **{name: getattr(economy, name)[city, year].round(9) for name in names}}
    )


def _cell(value: float, decimals: int, blank: str | None = None) -> object:
    """Return a number as a workbook would hold it; blank where nothing is delivered."""
    if np.isnan(value):
        return blank
    rounded = round(float(value), decimals)
    return int(rounded) if decimals == 0 else rounded


def _write_landing(folder: Path, data: Published) -> None:
    last = int(data.years[-1])
    # the wide panel comes twice: as the newest year was first released, and a year later
    for edition in (last, last + 1):
        rows = _wide_rows(data, edition)
        write_workbook(
            folder / "sim_wide_panel" / str(edition) / "城市统计面板_模拟.xlsx",
            [("面板数据", rows)],
        )
    sheets = [(sheet, _sheet_rows(data, *rest)) for sheet, *rest in INDICATOR_SHEETS]
    sheets.append(("说明", iter([[NOTE], ["本工作簿为模拟数据，不是统计数据。"]])))
    write_workbook(folder / "sim_indicator_sheets" / "分指标数据_模拟.xlsx", sheets)
    write_bytes(folder / "tidy" / "observations_simulated.csv", "".join(_tidy_lines(data)).encode())


def _wide_rows(data: Published, edition: int) -> Iterator[Row]:
    """The wide panel of an edition: years before it, its last three still as first released, a
    subtotal row after each province.
    """
    yield [f"城市统计面板（{NOTE}）"]
    yield ["省份", "城市", "年份", *(header for header, _, _ in WIDE_COLUMNS), "备注"]
    columns = [
        (_edition_table(data, indicator, edition), decimals)
        for _, indicator, decimals in WIDE_COLUMNS
    ]
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


def _edition_table(data: Published, indicator: str, edition: int) -> np.ndarray:
    if indicator == "fdi_usd_1m":
        return data.tables[indicator] * 100.0
    if indicator != "gdp_nominal_cny_100m" or edition > int(data.years[-1]):
        return data.tables[indicator]
    table = data.tables[indicator].copy()
    recent = data.years >= edition - 3
    table[:, recent] = np.where(np.isnan(table[:, recent]), np.nan, data.first_release[:, recent])
    return table


def _subtotal(data: Published, province: str, gdp: np.ndarray, last: tuple[int, int]) -> Row:
    rows = (data.roster["province_name_zh"] == province).to_numpy()
    return [province, f"{province}合计", last[1], _cell(float(np.nansum(gdp[rows, last[0]])), 2)]


def _sheet_rows(
    data: Published, title: str, indicator: str, factor: float, decimals: int, spelling: str
) -> Iterator[Row]:
    """One indicator in the manner of the statistics bureau's exports: three lines above, latest
    year first, a source line.
    """
    years = data.years[::-1]
    yield [f"数据库：主要城市年度数据（{NOTE}）"]
    yield [f"指标：{title}"]
    yield [f"时间：最近{len(years)}年"]
    yield ["地区", *(f"{int(year)}年" for year in years)]
    for name, values in zip(
        _spell(data.roster, spelling), data.tables[indicator][:, ::-1] * factor, strict=True
    ):
        if not np.isnan(values).all():
            yield [name, *(_cell(value, decimals) for value in values)]
    yield [f"数据来源：{NOTE}"]


def _spell(roster: pd.DataFrame, spelling: str) -> list[str]:
    """City names: English, or Chinese without the word for city."""
    return (
        roster["city_name_en"].tolist()
        if spelling == "english"
        else [name.removesuffix("市") for name in roster["city_name_zh"]]
    )


def _tidy_lines(data: Published) -> Iterator[str]:
    yield "city_id,year,indicator_id,value,unit\n"
    for row in data.consumer_prices.itertuples():
        value = f"{row.cpi_prev_year_100:.1f}"
        yield f"{row.province_id},{row.year},cpi_prev_year_100,{value},上年=100\n"
    ids = data.roster["city_id"].tolist()
    for indicator, unit, factor, decimals in TIDY_INDICATORS:
        for city_id, values in zip(ids, data.tables[indicator] * factor, strict=True):
            for year, value in zip(data.years, values, strict=True):
                if not np.isnan(value):
                    yield f"{city_id},{year},{indicator},{value:.{decimals}f},{unit}\n"
