"""The growth that the pages of cities show, compared with the tables of its publication: each value
with its source, and the delivered cells from which its printed formula gives it. Reads the files of
the site and asks the tables with queries of its own; imports nothing of the report.
"""

import json
import math
from pathlib import Path
from typing import Any

import duckdb

NOMINAL, PRICES = "gdp_nominal_cny_100m", "cpi_prev_year_100"
#: Indicators and years, counted from that of the growth, that each formula takes.
INPUTS = {
    "rate": [("gdp_growth_official_pct", 0)],
    "index": [("gdp_index_prev_year_100", 0)],
    "level": [("gdp_real_cny_100m", 0), ("gdp_real_cny_100m", -1)],
    "deflated": [(NOMINAL, 0), (NOMINAL, -1), (PRICES, 0)],
}
GROWTH = """select city_id, year, growth_official_pct, growth_deflated_pct, growth_official_basis,
    growth_official_source_id, growth_official_edition_year, growth_deflated_source_id,
    growth_official_evidence from marts.fct_city_year
    where growth_official_pct is not null or growth_deflated_pct is not null"""
DELIVERED = """select city_id, indicator_id, year, value, source_id, edition_year, file_name,
    sheet_name, cell_ref from marts.fct_indicator_observation"""


def city_page_faults(con: duckdb.DuckDBPyConnection, report: Path) -> tuple[int, list[str]]:
    """Number of cities with a page, and what their growth states otherwise than the tables."""
    page, chinese = (page_data(report, f"pages/cities_{name}") for name in ("en", "zh"))
    delivered = set(con.execute(DELIVERED).fetchall())
    indicators = [one["id"] for one in page["catalog"]["indicators"]]
    faults, shown = [], set()
    for basis in INPUTS:
        if page["says"][f"formula_{basis}"] != chinese["says"][f"formula_{basis}"]:
            faults.append(f"the formula of {basis} is another in Chinese")
    for city_id in page["cities"]["ids"]:
        file = page_data(report, f"values/{city_id}")
        for row in file["growth"]:
            year, official, deflated, basis, source, edition, made_of = row[:7]
            shown.add((city_id, *row[:6], row[7], row[9]))
            for kind, growth, places in (
                (basis, official, made_of),
                ("deflated", deflated, row[8]),
            ):
                if growth is None:
                    continue
                cells = []
                for number, nth in places or []:
                    cell = file["values"][str(number)][nth]
                    cells.append(_delivered(page, city_id, indicators[number], cell))
                origins = {cell[4:6] for cell in cells}
                wanted = {(source, edition)}
                if kind == "deflated":
                    wanted = {(row[7], origin[1]) for origin in origins}
                    price = file["prices"][str(year)]
                    cells.append(_delivered(page, city_id // 10000 * 10000, PRICES, price))
                name = f"{city_id} {year} {kind}"
                if origins != wanted or len(origins) > 1:
                    faults.append(f"{name}: growth of {wanted}, made from {origins}")
                if [cell[1:3] for cell in cells] != [(of, year + k) for of, k in INPUTS[kind]]:
                    faults.append(f"{name}: made from {cells}")
                    continue
                faults += [f"{name}: no delivered value {cell}" for cell in {*cells} - delivered]
                made = _computed(page["says"][f"formula_{kind}"], [cell[3] for cell in cells])
                if not abs(made - growth) < 1e-6:
                    faults.append(f"{name}: the formula gives {made}, stated {growth}")
    in_tables = set(con.execute(GROWTH).fetchall())
    faults += [f"on a page or in the table alone: {row}" for row in shown ^ in_tables]
    return len(page["cities"]["ids"]), faults


def page_data(report: Path, name: str) -> Any:
    """The object that a script of data hands over."""
    text = (report / f"data/{name}.js").read_text(encoding="utf-8")
    return json.loads(text.partition(",")[2].removesuffix(");\n"))


def _delivered(page: dict[str, Any], place: int, indicator: str, cell: list[Any]) -> tuple:
    """A value of a file (year, value, raw text, location, cell, state) as a row of `DELIVERED`."""
    year, value, _, location, cell_ref = cell[:5]
    origin = page["catalog"]["locations"][location][:4]
    return (place, indicator, year, value, *origin, cell_ref or None)


def _computed(formula: str, values: list[float]) -> float:
    """What a formula gives as it is printed, with the values in place of its letters."""
    text = formula.replace("×", "*").replace("−", "-")
    text = text.format(**dict(zip("abc", values, strict=False)))
    return eval(text, {"__builtins__": {}, "ln": _log})


def _log(value: float) -> float:
    return math.log(value) if value > 0 else math.nan
