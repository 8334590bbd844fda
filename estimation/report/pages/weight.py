"""Show the weights of the main test by year, age and period, on the page Result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..cells import Row, num, shown
from ..plots import Point, Series
from .context import Context
from .pictures import picture

# of the pandemic, in their order
PERIODS = ("before", "within", "after")


def weight(page: Context) -> dict[str, Any] | None:
    """Return one sentence and one picture on where the weight lies, and the parts with their p of
    equality.
    """
    w = page.words
    by_year = page.some("weight", grain="calendar_year")
    parts = page.some("weight", grain="ages") + page.some("weight", grain="periods")
    first = next((row for row in parts if row["grain"] == "ages"), None)
    if not by_year or first is None:
        return None
    of_ages = num(first, "weight", "%")
    periods = [num(row, "weight", "%") for row in parts if row["grain"] == "periods"]
    if len(periods) == len(PERIODS):
        said = w("result.weight_said", weight=of_ages, **dict(zip(PERIODS, periods, strict=True)))
    else:
        said = w("result.weight_ages", weight=of_ages)
    points = [
        Point(int(row["name"]), row["weight"], f"{row['name']}: {shown(row['weight'], '%')}")
        for row in by_year
        if row["n_cells"]
    ]
    labels: dict[float, Sequence[str]] = {point.x: (f"{point.x}",) for point in points}
    series = [Series("", tuple(points), joined=True)]
    tables = "estimates.weight"
    chart = picture(
        page,
        "weight",
        "result.weight",
        series,
        labels,
        "weights",
        tables,
        _late(by_year),
        years=None,
    )
    return {"said": said, "picture": chart, "parts": parts}


def _late(by_year: list[Row]) -> dict[str, object]:
    """Return the fewest last years that together hold three quarters of the weight, and their
    share.
    """
    held = 0.0
    rows = sorted(by_year, key=lambda row: -int(row["name"]))
    for row in rows:
        held += row["weight"]
        if held >= 0.75:
            break
    span = {"first": int(row["name"]), "last": int(rows[0]["name"])}
    return {"share": shown(held, "%"), **span}
