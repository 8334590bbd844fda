"""The page Cities: the tile map, a city's growth, partners, zones, texts and values,
synchronization against distance, batches.
"""

from __future__ import annotations

from typing import Any

from ...defaults import STUDY_FIRST_YEAR, STUDY_LAST_YEAR
from ..cells import Row, number, rounded, shown
from ..language import Words
from ..plots import Chart, Point, Series
from ..shown_specs import PRIMARY
from ..tiles import build_tiles
from .city_statements import CityStatements, city_statements, zone_kind, zone_name, zones_of
from .context import Context
from .pictures import picture
from .result import finding


def cities(page: Context) -> dict[str, Any]:
    """Return everything the template of the page sets."""
    rows = page.rows("cities")
    return {
        "map": build_tiles(rows, page.places),
        "alt": page.words.plain(
            "cities.map_alt", n=len(rows), zones=sum(row["batch"] is not None for row in rows)
        ),
        "n_cities": len(rows),
        "has_sync": bool(page.catalogs["sync"]["years"]),
        "has_values": bool(page.catalogs["values"]["places"]),
        "batches": page.rows("batches"),
        "batch_years": sorted({int(row["approval_date"][:4]) for row in page.rows("batches")}),
        "distance": _distance(page),
    }


def _distance(page: Context) -> Chart | None:
    rows = page.rows("distance")
    if len(rows) < 2:
        return None
    ends = {
        "near": shown(rows[0]["distance_km"], "int"),
        "low": shown(rows[0]["synchronization"], "2"),
        "far": shown(rows[-1]["distance_km"], "int"),
        "high": shown(rows[-1]["synchronization"], "2"),
    }
    found = tuple(
        Point(
            row["distance_km"],
            row["synchronization"],
            f"{shown(row['distance_km'], 'int')} km: {shown(row['synchronization'], '3')}",
        )
        for row in rows
    )
    step = 500 if rows[-1]["distance_km"] < 3000 else 1000
    labels = {km: (f"{km:,}",) for km in range(0, int(rows[-1]["distance_km"]) + 1, step)}
    key, series = "cities.distance", [Series("", found)]
    tables = "marts.fct_pair_synchronization, marts.fct_city_pair"
    return picture(page, "distance", key, series, labels, "distance", tables, ends)


def cities_data(page: Context) -> dict[str, Any]:
    """Return what the scripts of the page need of cities, zones, texts, changes and the cells of
    values.
    """
    rows = page.rows("cities")
    statements = [city_statements(page, row) for row in rows]
    change = {row["city_id"]: row for row in page.rows("city_change")}
    other = Words("en" if page.words.language == "zh" else "zh")
    test = page.one("primary", spec_id=PRIMARY)
    window = [STUDY_FIRST_YEAR, STUDY_LAST_YEAR]
    if test is not None and number(test["first_year"]) is not None:
        window = [int(test["first_year"]), int(test["last_year"])]
    return {
        "window": window,
        "cities": {
            "ids": [int(row["city_id"]) for row in rows],
            "names": [page.words.place(row) for row in rows],
            "also": [other.place(row) for row in rows],
            "provinces": [page.words.place(row, "province") for row in rows],
            "admitted": [stated.admitted for stated in statements],
            **{
                name: [rounded(change.get(row["city_id"], {}).get(name), 4) for row in rows]
                for name in ("first_half", "second_half", "change")
            },
            "simulated": page.data.is_simulated,
        },
        "sync": page.catalogs["sync"],
        "statements": [_handed_over(stated) for stated in statements],
        "zones": _zones(page),
        "tools": _tools(page),
        "finding": page.words.plain(f"result.{finding(page.one('primary', spec_id=PRIMARY))}"),
        "median": [
            [row["year"], rounded(row["official"], 4), rounded(row["deflated"], 4)]
            for row in page.rows("growth_median")
        ],
        "catalog": _catalog(page),
    }


def _handed_over(stated: CityStatements) -> dict[str, Any]:
    """Statements as the script takes them: a kind and a sentence each."""
    said = [[one.kind, one.text] for one in stated.zones + stated.test]
    handed = {"said": said, "growth": None, "basis": None, "strip": stated.strip}
    if stated.growth is not None:
        handed["growth"] = [stated.growth.kind, stated.growth.text]
    if stated.basis is not None:
        handed["basis"] = [stated.basis.kind, stated.basis.text]
    return handed


def _zones(page: Context) -> dict[str, Any]:
    """Zones by city, each with the texts of the policy page that name it."""
    texts: dict[str, list[list[Any]]] = {}
    for nth, document in enumerate(page.rows("policy_document"), start=1):
        for zone in str(document["zones"] or "").split("、"):
            texts.setdefault(zone, []).append([document["title"], nth])
    found: dict[str, list[Any]] = {}
    for city in page.rows("cities"):
        for zone in zones_of(page, city):
            names = [zone["zone_name_zh"], zone["zone_name_en"]]
            line = {
                "names": [str(name).lower() for name in names if name],
                "text": _zone_line(page, city, zone),
                "texts": texts.get(zone["zone_name_zh"], []),
            }
            found.setdefault(str(city["city_id"]), []).append(line)
    return found


def _zone_line(page: Context, city: Row, zone: Row) -> str:
    """Return name, batch, date and document of a zone, what it covers and when it ended."""
    words = page.words
    kind = zone_kind(city, zone).removesuffix("_ended")
    line = words.plain(
        "city.zone_line",
        name=zone_name(page, zone),
        batch=int(zone["batch"]),
        date=zone["approval_date"],
        document=zone["document_no"] or words.plain("city.no_document"),
        covers=words.plain(f"city.covers_{kind}"),
    )
    if zone["revoked_date"] is None:
        return line
    return line + words.plain("city.revoked_line", date=zone["revoked_date"])


def _tools(page: Context) -> dict[str, list[list[Any]]]:
    """Policy tools by city: class, name, clauses by who issued their text."""
    found: dict[str, dict[str, list[Any]]] = {}
    for row in page.rows("city_tool"):
        own = found.setdefault(str(row["city_id"]), {})
        name = page.words.name("classes", row["tool"])
        own.setdefault(row["tool"], [row["tool_class"], name, {}])[2][row["issued_by"]] = row[
            "n_clauses"
        ]
    return {city: list(own.values()) for city, own in found.items()}


def _catalog(page: Context) -> dict[str, Any]:
    catalog, language = dict(page.catalogs["values"]), page.words.language
    labels = {row["indicator_id"]: row for row in page.rows("indicators")}
    catalog["places"] = [
        {"id": code, "name": page.places.get(code, str(code))} for code in catalog["places"]
    ]
    catalog["indicators"] = [
        {
            "id": name,
            "name": labels.get(name, {}).get(f"label_{language}") or name,
            "unit": page.words.name("unit_names", labels.get(name, {}).get("unit") or ""),
        }
        for name in catalog["indicators"]
    ]
    catalog["sources"] = {
        row["source_id"]: " · ".join(page.said(row[name]) for name in ("producer", "title"))
        for row in page.rows("origins")
        if row["producer"]
    }
    catalog["flags"] = [
        [flag, rule and page.words.name("rules", rule), page.words.name("flags", flag)]
        for flag, rule in catalog["flags"]
    ]
    return catalog
