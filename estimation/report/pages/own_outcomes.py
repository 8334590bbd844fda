"""What zones did to the trade and other outcomes of their own city, on the page Result."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from ..cells import Row, num, number, shown
from ..forest import is_found
from ..shown_specs import PRIMARY
from .context import Context


def own_outcomes(page: Context) -> dict[str, Any] | None:
    """Return what zones did to their own trade, and to the other outcomes of their city."""
    w = page.words
    rows = page.some("own_outcome", comparison="all_cities")
    trade = next((row for row in rows if row["outcome"] == "trade"), None)
    if trade is None:
        return None
    said = []
    if number(trade["p_value"]) is None:
        said.append(w("result.trade_not_run", reason=page.said(trade["reason"])))
    else:
        numbers = {name: num(trade, name, "+3") for name in ("estimate", "ci_low", "ci_high")}
        years = {name: num(trade, f"{name}_year", "year") for name in ("first", "last")}
        smallest = num(trade, "minimum_detectable_effect", "3")
        counts = {"pilots": num(trade, "n_pilots", "int"), "smallest": smallest}
        key = "result.trade_found" if trade["is_found"] else "result.trade_none"
        said.append(w(key, **numbers, **years, **counts))
        said += _too_early(page, trade)
    tested = [row for row in rows if number(row["p_value"]) is not None]
    later = [
        row
        for row in page.some("own_outcome", comparison="not_yet_treated")
        if number(row["p_value"]) is not None
    ]
    said += _own_found(page, tested + later)
    return {"said": said, "rows": tested, "later": later}


def _too_early(page: Context, trade: Row) -> list[Markup]:
    """Return how many cities of the main test were treated before the figures of trade begin."""
    ours = page.one("primary", spec_id=PRIMARY)
    if ours is None or number(ours["first_year"]) is None:
        return []
    if trade["first_year"] <= ours["first_year"]:
        return []
    early = [
        row["n_cities"]
        for row in page.rows("primary_cohorts")
        if row["cohort_year"] is not None and row["cohort_year"] <= trade["first_year"]
    ]
    if not early:
        return []
    first = num(trade, "first_year", "year")
    return [page.words("result.trade_years", first=first, cities=shown(sum(early), "int"))]


def _own_found(page: Context, rows: list[Row]) -> list[Markup]:
    """Return which of the other outcomes of a zone's city are found, against whom."""
    w = page.words
    others = [row for row in rows if row["outcome"] != "trade"]
    if not others:
        return []
    found = []
    for row in others:
        if not is_found(row):
            continue
        names = {
            "name": w.name("own_outcomes", row["outcome"]),
            "unit": w.name("own_units", row["unit"]),
            "against": w(f"result.own_{row['comparison']}"),
        }
        numbers = {
            "estimate": num(row, "estimate", "+3"),
            "p": num(row, "p_value_family", "p"),
        }
        found.append(w("result.own_row", **names, **numbers))
    if not found:
        return [w("result.own_none"), w("result.own_size")]
    listed = w("label.chinese_semicolon").join(found)
    return [w("result.own_found", found=listed), w("result.own_size")]
