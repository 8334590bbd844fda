"""What the city pages of a site state, compared with the tables of its publication. Reads the files
of the site and asks the tables with queries of its own; imports nothing of the report.
"""

import json
import math
import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb

MAIN_TEST = "primary.cm_growth_official.newest"
DATE = r"\d{4}-\d{2}-\d{2}"
#: Indicator of the delivered value behind each basis of growth.
INDICATOR = {
    "rate": "gdp_growth_official_pct",
    "index": "gdp_index_prev_year_100",
    "level": "gdp_real_cny_100m",
}
#: How the sentence under the growth names a basis.
BASES = {
    "rate": ("printed rate", "公布的增长率"),
    "index": ("published index", "公布的指数"),
    "level": ("change of real GDP", "实际 GDP 的变化"),
}
PRICES, NOMINAL = "cpi_prev_year_100", "gdp_nominal_cny_100m"


def city_page_faults(
    con: duckdb.DuckDBPyConnection, report: Path, *, is_public: bool = False
) -> tuple[int, list[str]]:
    """Number of cities in the tables, and what their pages state otherwise than the tables."""
    faults = []
    for language in ("en", "zh"):
        page = _object(report / f"data/pages/cities_{language}.js")
        faults += _of_statements(_cities(con, language), page, is_public)
    if not is_public:
        faults += _of_growth(con, report)
    ((count,),) = con.execute("select count(*) from marts.dim_city").fetchall()
    return count, faults


def _object(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    return json.loads(text.partition(",")[2].removesuffix(");\n"))


def _rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    found = con.execute(sql)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@dataclass(frozen=True)
class City:
    """What the tables have of a city: its row, its zones and those of its province, the window of
    the main test, the years of it without growth, whether its growth is known at all, and the basis
    of its official growth by year.
    """

    language: str
    row: dict[str, Any]
    zones: list[dict[str, Any]]
    window: range
    missing: list[int]
    is_alone: bool
    is_grown: bool
    bases: dict[int, str]

    @property
    def name(self) -> str:
        return f"{self.language} {self.row['city_id']}"

    def zone_name(self, zone: dict[str, Any]) -> str:
        return zone[f"zone_name_{self.language}"]


def _cities(con: duckdb.DuckDBPyConnection, language: str) -> list[City]:
    """Every city that has a value."""
    zones = _rows(
        con,
        "select *, approval_date::date::varchar as approved, revoked_date::date::varchar as revoked"
        " from marts.dim_pilot_zone",
    )
    tests = _rows(con, f"select * from estimates.primary where spec_id = '{MAIN_TEST}'")
    window = range(0)
    if tests:
        window = range(int(tests[0]["first_year"]), int(tests[0]["last_year"]) + 1)
    official: dict[int, set[int]] = {}
    bases: dict[int, dict[int, str]] = {}
    grown = set()
    for row in _rows(con, "select * from marts.fct_city_year order by year"):
        years = official.setdefault(row["city_id"], set())
        if row["growth_official_pct"] is not None:
            years.add(row["year"])
            basis = row["growth_official_basis"]
            bases.setdefault(row["city_id"], {})[row["year"]] = basis
        if _grew(row):
            grown.add(row["city_id"])
    rows = _rows(con, "select * from marts.dim_city order by city_id")
    rows = [row for row in rows if row["city_id"] in official]
    complete = [row for row in rows if official[row["city_id"]].issuperset(window)]
    in_province = Counter(row["province_id"] for row in complete)
    cities = []
    for row in rows:
        codes = (row["city_id"], row["province_id"])
        city = City(
            language=language,
            row=row,
            zones=[zone for zone in zones if zone["city_id"] in codes],
            window=window,
            missing=sorted(set(window) - official[row["city_id"]]),
            is_alone=in_province[row["province_id"]] == 1,
            is_grown=row["city_id"] in grown,
            bases=bases.get(row["city_id"], {}),
        )
        cities.append(city)
    return cities


def _of_statements(cities: list[City], page: dict[str, Any], is_public: bool) -> list[str]:
    """Faults of the sentences of zones, the main test and growth, and of the year on the map."""
    ids = page["cities"]["ids"]
    if ids != [city.row["city_id"] for city in cities]:
        return [f"pages of {len(ids)} cities, values of {len(cities)}"]
    faults = []
    for place, city in enumerate(cities):
        stated = page["statements"][place]
        faults += _of_zones(city, stated["said"])
        faults += _of_zone_lines(city, page["zones"].get(str(ids[place]), []))
        faults += _of_test(city, stated["said"])
        strip = [[year, year not in city.missing] for year in city.window if city.missing]
        if stated["strip"] != strip:
            faults.append(f"{city.name}: strip of years {stated['strip']}, expected {strip}")
        whole = [int(zone["approved"][:4]) for zone in city.zones if zone["is_whole_prefecture"]]
        if page["cities"]["admitted"][place] != min(whole, default=None):
            faults.append(f"{city.name}: map {page['cities']['admitted'][place]}, zones {whole}")
        expected = None
        if not city.is_grown:
            expected = "growth_unknown"
        elif is_public:
            expected = "growth_withheld"
        if (stated["growth"] or [None])[0] != expected:
            faults.append(f"{city.name}: growth {stated['growth']}, expected {expected}")
        faults += _of_bases(city, stated["basis"], is_public)
    return faults


def _of_bases(city: City, stated: list[str] | None, is_public: bool) -> list[str]:
    """Faults of the sentence under the growth: the years in which the basis is another one than in
    the last year with growth, each with both bases; nothing where growth is not shown.
    """
    expected = []
    years = [] if is_public else sorted(city.bases)
    for earlier, year in pairwise(years):
        if city.bases[earlier] != city.bases[year]:
            expected.append((str(year), {city.bases[earlier], city.bases[year]}))
    if stated is None:
        return [f"{city.name}: no change of basis is stated, in the table {expected}"] * bool(
            expected
        )
    found = []
    for part in re.split("[;；]", stated[1]):
        named = {basis for basis, texts in BASES.items() if any(text in part for text in texts)}
        found.append((re.findall(r"(?<!\d)\d{4}(?!\d)", part)[0], named))
    if stated[0] != "growth_basis_changes" or found != expected:
        return [f"{city.name}: basis stated {found}, in the table {expected}"]
    return []


def _of_zones(city: City, said: list[list[str]]) -> list[str]:
    """Faults of the sentences of the zones: one a zone, of its kind, with its dates and no other's;
    one more where none covers the city.
    """
    expected = []
    for zone in city.zones:
        dates = [date for date in (zone["approved"], zone["revoked"]) if date]
        kind = "zone_whole"
        if not zone["is_whole_prefecture"]:
            kind = "zone_inside"
        elif zone["city_id"] != city.row["city_id"]:
            kind = "zone_province"
        if zone["revoked"]:
            kind += "_ended"
        expected.append((kind, dates))
    if not city.zones:
        expected.append(("no_zone", []))
    elif not any(zone["is_whole_prefecture"] for zone in city.zones):
        expected.append(("no_zone_of_its_own", []))
    of_zones = [one for one in said if not one[0].startswith("test_")]
    found = [(kind, re.findall(DATE, text)) for kind, text in of_zones]
    if sorted(found) != sorted(expected):
        return [f"{city.name}: zones stated {found}, in the table {expected}"]
    faults = []
    for zone in city.zones:
        covers_it = zone["is_whole_prefecture"] and zone["city_id"] == city.row["city_id"]
        texts = [text for _, text in said if zone["approved"] in text]
        if not covers_it and not any(city.zone_name(zone) in text for text in texts):
            faults.append(f"{city.name}: {city.zone_name(zone)} is not named: {texts}")
    return faults


def _of_zone_lines(city: City, lines: list[dict[str, Any]]) -> list[str]:
    """Faults of the list of zones: each line has name, batch, dates and document of one zone."""
    faults = []
    if len(lines) != len(city.zones):
        faults.append(f"{city.name}: {len(lines)} zones listed, {len(city.zones)} in the table")
    for zone in city.zones:
        facts = [city.zone_name(zone), zone["approved"], str(zone["batch"])]
        facts += [fact for fact in (zone["revoked"], zone["document_no"]) if fact]
        if not any(all(fact in line["text"] for fact in facts) for line in lines):
            faults.append(f"{city.name}: no line with {facts}")
    return faults


def _of_test(city: City, said: list[list[str]]) -> list[str]:
    """Faults of the sentence on the main test: in it or not, with a zone from which year, or which
    years of growth are missing.
    """
    stated = {kind: text for kind, text in said if kind.startswith("test_")}
    if not city.window:
        return [f"{city.name}: a test is stated, none was run: {stated}"] * bool(stated)
    treated = city.row["treated_year"]
    if city.missing:
        kind, years = "test_missing", city.missing
    elif treated is not None and treated <= city.window[-1]:
        kind, years = "test_with", [treated]
    elif treated is not None:
        kind, years = "test_without_later", [treated]
    elif city.zones:
        kind, years = "test_without_inside", []
    else:
        kind, years = "test_without", []
    expected = {kind}
    if not city.missing and city.is_alone:
        expected.add("test_alone")
    if set(stated) != expected:
        return [f"{city.name}: test stated as {sorted(stated)}, expected {sorted(expected)}"]
    spans = []
    for first, last in re.findall(r"\b(\d{4})(?:[–—](\d{4}))?", stated[kind]):
        spans.append(list(range(int(first), int(last or first) + 1)))
    found = sorted(year for span in spans[1:] for year in span)
    if spans[0] != list(city.window) or found != years:
        return [f"{city.name}: {stated[kind]!r}, window {city.window}, years {years}"]
    return []


@dataclass(frozen=True)
class Files:
    """What the site has of the delivered values: the lists that the files of the cities refer to,
    the formulas in words, and what the table has of them.
    """

    catalog: dict[str, Any]
    says: dict[str, str]
    delivered: set[tuple]

    @property
    def indicators(self) -> list[str]:
        return [one["id"] for one in self.catalog["indicators"]]

    def origin(self, cell: list[Any]) -> tuple:
        """Source, edition, file and sheet of a value."""
        return tuple(self.catalog["locations"][cell[3]][:4])


@dataclass(frozen=True)
class Cell:
    """A delivered value of a file: `cell` is year, value, raw text, location, cell, state."""

    place: int
    indicator: str
    cell: list[Any]


def _of_growth(con: duckdb.DuckDBPyConnection, report: Path) -> list[str]:
    """Faults of growth in the files of the cities: each value is there, with its basis and source,
    and the formula of its basis gives it from delivered values of that source, each with its cell.
    """
    page = _object(report / "data/pages/cities_en.js")
    observed = _rows(con, "select * from marts.fct_indicator_observation")
    delivered = {tuple(row[key] for key in KEY) for row in observed}
    files = Files(page["catalog"], page["says"], delivered)
    rows: dict[int, list[dict[str, Any]]] = {}
    for row in _rows(con, "select * from marts.fct_city_year order by city_id, year"):
        years = rows.setdefault(row["city_id"], [])
        if _grew(row):
            years.append(row)
    faults = []
    chinese = _object(report / "data/pages/cities_zh.js")["says"]
    for name in (f"formula_{basis}" for basis in (*INDICATOR, "deflated")):
        if chinese[name] != page["says"][name]:
            faults.append(f"{name} is another in Chinese: {chinese[name]}")
    for city_id, years in rows.items():
        file = _object(report / f"data/values/{city_id}.js")
        if [row[0] for row in file["growth"]] != [row["year"] for row in years]:
            faults.append(f"{city_id}: other years of growth than in the table")
            continue
        for row, shown in zip(years, file["growth"], strict=True):
            if [row["growth_official_pct"], row["growth_deflated_pct"]] != shown[1:3]:
                faults.append(f"{city_id} {row['year']}: {shown[1:3]} is not in the table")
            if row["growth_official_pct"] is not None:
                faults += _of_official(files, row, file)
            if row["growth_deflated_pct"] is not None:
                faults += _of_deflated(files, row, file)
    return faults


KEY = (
    *("city_id", "indicator_id", "year", "value", "source_id", "edition_year", "file_name"),
    *("sheet_name", "cell_ref"),
)


def _grew(row: dict[str, Any]) -> bool:
    return row["growth_official_pct"] is not None or row["growth_deflated_pct"] is not None


def _shown(row: dict[str, Any], file: dict[str, Any]) -> list[Any]:
    return next(shown for shown in file["growth"] if shown[0] == row["year"])


def _inputs(files: Files, row: dict[str, Any], file: dict[str, Any], at: int) -> list[Cell]:
    """The values that a growth of a file is made from: the list in that place of its row."""
    cells = []
    for number, nth in _shown(row, file)[at] or []:
        cell = file["values"][str(number)][nth]
        cells.append(Cell(row["city_id"], files.indicators[number], cell))
    return cells


def _of_official(files: Files, row: dict[str, Any], file: dict[str, Any]) -> list[str]:
    name, year = f"{row['city_id']} {row['year']} official", row["year"]
    basis, source, edition = _shown(row, file)[3:6]
    evidence = _shown(row, file)[9]
    cells = _inputs(files, row, file, at=6)
    in_table = tuple(
        row[f"growth_official_{key}"] for key in ("basis", "source_id", "edition_year")
    )
    if (basis, source, edition) != in_table:
        return [f"{name}: {basis} of {source} {edition}, in the table {in_table}"]
    faults = []
    if evidence != row["growth_official_evidence"]:
        faults.append(f"{name}: {evidence}, in the table {row['growth_official_evidence']}")
    for cell in cells:
        if files.origin(cell.cell)[:2] != (source, edition):
            faults.append(f"{name}: growth of {source} {edition}, made from {cell}")
    wanted = [(INDICATOR[basis], year)]
    if basis == "level":
        wanted.append((INDICATOR[basis], year - 1))
    made = _of_formula(files, basis, cells, growth=row["growth_official_pct"], wanted=wanted)
    return [*faults, *(f"{name}: {fault}" for fault in made)]


def _of_deflated(files: Files, row: dict[str, Any], file: dict[str, Any]) -> list[str]:
    name, year = f"{row['city_id']} {row['year']} deflated", row["year"]
    cells = _inputs(files, row, file, at=8)
    origins = {files.origin(cell.cell)[:2] for cell in cells}
    sources = {_shown(row, file)[7], *(source for source, _ in origins)}
    faults = []
    if sources != {row["growth_deflated_source_id"]} or len(origins) != 1:
        faults.append(f"{name}: of {sources}, from {origins}, in the table of one source")
    province = row["city_id"] // 10000 * 10000
    cells.append(Cell(province, PRICES, file["prices"][str(year)]))
    wanted = [(NOMINAL, year), (NOMINAL, year - 1), (PRICES, year)]
    growth = row["growth_deflated_pct"]
    made = _of_formula(files, "deflated", cells, growth=growth, wanted=wanted)
    return [*faults, *(f"{name}: {fault}" for fault in made)]


def _of_formula(
    files: Files, basis: str, cells: list[Cell], *, growth: float, wanted: list[tuple[str, int]]
) -> list[str]:
    """Faults of a formula: it is made from these indicators and years, each a delivered value with
    its cell, and as printed, with the values in it, it gives the growth.
    """
    found = [(one.indicator, one.cell[0]) for one in cells]
    if found != wanted:
        return [f"made from {found}, expected {wanted}"]
    faults = []
    for one in cells:
        year, value, cell_ref = one.cell[0], one.cell[1], one.cell[4] or None
        key = (one.place, one.indicator, year, value, *files.origin(one.cell), cell_ref)
        if key not in files.delivered:
            faults.append(f"no delivered value {key}")
    numbers = {letter: one.cell[1] for letter, one in zip("abc", cells, strict=False)}
    text = files.says[f"formula_{basis}"].replace("×", "*").replace("−", "-").format(**numbers)
    made = eval(text, {"__builtins__": {}, "ln": _log})
    if not abs(made - growth) < 1e-6:
        faults.append(f"{text} is {made}, stated {growth}")
    return faults


def _log(value: float) -> float:
    return math.log(value) if value > 0 else math.nan
