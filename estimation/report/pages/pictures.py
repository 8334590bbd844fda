"""Draw the pictures that are on a page and among the files to download: the answer on one axis
(also in the README), the years before and after admission, which pairs count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...defaults import STUDY_FIRST_YEAR, STUDY_LAST_YEAR
from .. import plots
from ..cells import Row, number, shown
from ..forest import is_below
from ..plots import Chart, Estimate, Point, Series
from ..shown_specs import DYNAMICS, PRIMARY, STUDY_FORM
from .context import Context
from .first_screen import INTERVAL, estimate_on_axis, estimate_said, intervals


def answer(page: Context) -> Chart | None:
    """Our estimate, what would have been found, and the published study's form, on one axis."""
    ours, w = page.one("primary", spec_id=PRIMARY), page.words
    if ours is None or number(ours["estimate"]) is None:
        return None
    others, note = [], ""
    study = page.one("coefficient", spec_id=STUDY_FORM, term="treated")
    if study is not None and number(study["estimate"]) is not None:
        spans = intervals(study, INTERVAL, ("low_conventional", "high_conventional"))
        years = {"first": STUDY_FIRST_YEAR, "last": STUDY_LAST_YEAR}
        label = w.plain("result.axis_study", **years, **estimate_said(page, study))
        others.append(Estimate(label, float(study["estimate"]), spans, "vermilion"))
        note = w.plain("result.axis_study_note")
    title = "found" if ours["verdict"] == "found" else "none"
    labels = {
        "title": w.plain(f"result.axis_title_{title}"),
        "row": w.plain("result.axis_ours"),
        "axis": w.plain("result.axis_axis"),
        "note": note,
    }
    tables = "estimates.primary, estimates.estimate"
    return estimate_on_axis(page, ours, labels, others, tables=tables)


def picture(
    page: Context,
    name: str,
    key: str,
    series: Sequence[Series],
    labels: dict[float, Sequence[str]],
    data: str,
    tables: str,
    ends: dict[str, object] | None = None,
    *,
    title: str = "",
    years: tuple[int, int] | None = (STUDY_FIRST_YEAR, STUDY_LAST_YEAR),
    **how: Any,
) -> Chart:
    """Return points over x under the words ``<key>_title``, ``_alt``, ``_x``, ``_y`` and ``_note``.

    Parameters
    ----------
    page : Context
    name, data, tables : as of a `Chart`
    key : group and beginning of the words
    series, labels, how : as of `plots.points`
    ends : what is filled into the words
    title : key of another title
    years : first and last year of the data, which the subtitle says; None where x is the year
    """
    keys = {part: f"{key}_{part}" for part in ("title", "alt", "x", "y", "note")}
    keys["title"] = title or keys["title"]
    said = {part: page.words.plain(words, **(ends or {})) for part, words in keys.items()}
    said["clipped"] = page.words.plain("label.clipped")
    svg = plots.points(series, labels, said, **how)
    subtitle = said["y"][:1].upper() + said["y"][1:]
    if years is not None:
        span = {"first": years[0], "last": years[1]}
        subtitle = page.words.plain("label.of_years", what=subtitle, **span)
    return Chart(name, said["title"], svg, data, tables, said["note"], subtitle)


def event_study(page: Context) -> Chart | None:
    """Return the change by year since admission, with both intervals and, on simulated data, the
    truth.
    """
    w = page.words
    rows = [
        row for row in page.some("event", spec_id=DYNAMICS, term="event") if row["event_time"] != -1
    ]
    if not rows:
        return None
    both = (("low_permutation", "high_permutation"), ("ci_low", "ci_high"))
    points = [event_point(page, row, *both) for row in rows]
    base = Point(-1, 0.0, w.plain("result.event_base"))
    points = sorted([*points, base], key=lambda point: point.x)
    series = [Series("", tuple(points))]
    truths = [row for row in rows if number(row["truth"]) is not None]
    if page.data.is_simulated and truths:
        name = w.plain("result.event_truth")
        crosses = [
            Point(row["event_time"], row["truth"], f"{name} {shown(row['truth'], '+3')}")
            for row in truths
        ]
        series.append(Series(name, tuple(crosses), shift=0.25))
    labels = {
        point.x: (f"{int(point.x)}".replace("-", "−"),)
        for point in points
        if len(points) <= 16 or point.x % 2 == 0
    }
    few = plots.FAINT_BELOW_PILOTS
    after = [row for row in rows if row["event_time"] >= 0 and row["n_pilots"] >= few]
    n = sum(is_below(row["p_value"]) for row in after)
    leads = page.diagnostic(DYNAMICS, "joint_leads_permutation_p")
    ends = {
        "first": int(points[0].x),
        "last": int(points[-1].x),
        "n": n,
        "of": len(after),
        "few": few,
        "leads": w.plain("result.event_leads", p=shown(leads["value"], "p")) if leads else "",
    }
    how = {
        "title": f"result.event_{'some' if n else 'none'}",
        "shades": ((points[0].x - 0.6, -0.5),),
    }
    key, tables = "result.event", "estimates.estimate, estimates.truth"
    return picture(page, "event-study", key, series, labels, "events", tables, ends, **how)


def event_point(page: Context, row: Row, *ends: tuple[str, str], name: str = "") -> Point:
    """Return a year since admission with its intervals, hollow where it rests on few pilots."""
    year, pilots = int(row["event_time"]), int(row["n_pilots"] or 0)
    said = page.words.plain("result.event_said", year=year, n=pilots, **estimate_said(page, row))
    said = f"{name}: {said}" if name else said
    spans = intervals(row, *ends)
    return Point(year, float(row["estimate"]), said, spans, pilots < plots.FAINT_BELOW_PILOTS)


def threshold(page: Context) -> Chart | None:
    """Return the two-way estimate over the quantile of the tie above which pairs are kept, and its
    parts.
    """
    series = []
    specs = {0: "baseline.{}.all_pairs", 50: "baseline.{}.headline"}
    specs |= {quantile: f"matching.{{}}.q{quantile}" for quantile in (10, 25, 40, 60, 75, 90)}
    for measure in ("cm", "comove", "dispersion"):
        found = []
        for quantile, spec in sorted(specs.items()):
            row = page.one("coefficient", spec_id=spec.format(f"{measure}_growth_official"))
            if row is not None and number(row["estimate"]) is not None:
                said = f"{quantile} %: {shown(row['estimate'], '+3')}"
                spans = intervals(row, ("ci_low", "ci_high")) if measure == "cm" else ()
                found.append(Point(quantile, float(row["estimate"]), said, spans))
        series.append(Series(page.words.name("measures", measure), tuple(found), joined=True))
    if len(series[0].points) < 3:
        return None
    labels = {quantile: (f"{quantile}",) for quantile in (0, 25, 50, 75, 90)}
    series = [one for one in series if one.points]
    values = [point.y for point in series[0].points]
    ends = {"low": shown(min(values), "+3"), "high": shown(max(values), "+3")}
    name, tables = "threshold", "estimates.estimate"
    return picture(page, name, "robust.threshold", series, labels, "coefficients", tables, ends)
