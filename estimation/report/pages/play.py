"""Three things to play with: two cities in step, zones shuffled within provinces, one city in many
pairs. Each is a picture without scripts, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from .. import plots
from ..cells import Row, num, number, rounded
from ..plots import Chart, Estimate, Point, Series
from ..shown_specs import PRIMARY, STUDY_FORM
from ..tiles import build_tiles
from .context import Context
from .first_screen import INTERVAL, intervals

IN_STEP = Path(__file__).parent.parent / "in_step.csv"
# of the primary query: the p of the one test that is shuffled here
P_VALUE = "p_single"


def in_step(page: Context) -> list[Chart]:
    """Return two simulated cities at three sizes of synchronization, one picture each."""
    w, charts = page.words, []
    table = pd.read_csv(IN_STEP, comment="#")
    for size, rows in table.groupby("synchronization"):
        years = rows["year"].tolist()
        series = []
        for name in ("city_a", "city_b"):
            points = [
                Point(year, growth, f"{year}: {growth:.1f} %")
                for year, growth in zip(years, rows[name], strict=True)
            ]
            series.append(Series(w.plain(f"play.{name}"), tuple(points), joined=True))
        labels = {year: (f"{year}",) for year in years[::3]}
        said = {"alt": w.plain("play.in_step_alt", size=size), "x": w.plain("label.year")}
        chart = Chart(
            name=f"in-step-{round(10 * size)}",
            title=w.plain(f"play.in_step_{round(10 * size)}"),
            svg=plots.points(series, labels, said),
            data="",
            tables="",
            subtitle=w.plain("play.in_step_subtitle", first=years[0], last=years[-1]),
        )
        charts.append(chart)
    return charts


def shuffle(page: Context) -> dict[str, Any] | None:
    """Return the stand-ins of the primary test on the tile map, and its p; None without a test."""
    row = page.one("primary", spec_id=PRIMARY)
    cities = _stand_ins(page)
    if row is None or number(row[P_VALUE]) is None or not cities:
        return None
    places = [{"province_id": one["province_id"], "lat_deg": 0, "lon_deg": 0} for one in cities]
    tiles = build_tiles(places, page.places)
    has_zone = [one["cohort_year"] is not None for one in cities]
    squares = [(square, has_zone[square["k"]]) for square in tiles["squares"]]
    counts = {"pilots": num(row, "n_pilots", "int"), "cities": num(row, "n_cities", "int")}
    said = page.words("play.shuffle_how", p=num(row, P_VALUE, "p"), **counts)
    return {"map": tiles, "squares": squares, "said": said}


def shuffle_data(page: Context) -> list[list[Any]]:
    """Return what the script shuffles, a list a stand-in: province, first treated year or 0, then
    first year, years and synchronization of each period.
    """
    cities = []
    for one in _stand_ins(page):
        periods = [
            [int(row["first_year"]), int(row["n_years"]), rounded(row["synchronization"], 3)]
            for row in one["periods"]
        ]
        cities.append([one["province_id"], int(one["cohort_year"] or 0), periods])
    return cities


def _stand_ins(page: Context) -> list[dict[str, Any]]:
    """Stand-ins of the primary test, each with its periods."""
    found: dict[int, dict[str, Any]] = {}
    for row in page.some("city_period", spec_id=PRIMARY):
        start = {key: row[key] for key in ("province_id", "cohort_year")} | {"periods": []}
        found.setdefault(int(row["stand_in"]), start)["periods"].append(row)
    return list(found.values())


def one_city(page: Context) -> dict[str, Any] | None:
    """Return what the study's method makes of its pairs: the interval that takes them for separate
    evidence, and the one that does not; None where the method was not run.
    """
    row = page.one("coefficient", spec_id=STUDY_FORM, term="treated")
    if row is None or any(number(row[name]) is None for name in ("ci_low", "low_conventional")):
        return None
    counts = {"pairs": num(row, "n_pairs", "int"), "cities": num(row, "n_cities", "int")}
    return {
        "said": page.words("play.one_city_how", **counts),
        "cities": int(row["n_cities"]),
        "picture": _two_intervals(page, row),
    }


def _two_intervals(page: Context, row: Row) -> Chart:
    w, rows = page.words, []
    ends = {"naive": ("low_conventional", "high_conventional"), "honest": INTERVAL}
    for kind, colour in (("naive", "vermilion"), ("honest", "blue")):
        (span,) = intervals(row, ends[kind])
        label = w.plain(f"play.interval_{kind}", low=f"{span[0]:+.3f}", high=f"{span[1]:+.3f}")
        rows.append(Estimate(label.replace("-", "−"), float(row["estimate"]), (span,), colour))
    title = w.plain("play.intervals_title")
    svg = plots.answer(rows, (None, None), None, {"alt": title, "truth": ""})
    axis = w.plain("result.axis_axis")
    return Chart("two-intervals", title, svg, "coefficients", "estimates.estimate", subtitle=axis)
