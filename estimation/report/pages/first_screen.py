"""The first screen of a page that answers one question: the question, the answer, one picture, how
sure the answer is, what could have been missed, what comes next.

It serves any estimate of the primary test: that of the zones, or that of a list of a user.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from .. import plots
from ..cells import Row, num, number, shown
from ..plots import Chart, Estimate
from .context import Context

INTERVAL = ("ci_low", "ci_high")


@dataclass(frozen=True)
class FirstScreen:
    """What the macro `first_screen` of `components.html.j2` sets.

    Attributes
    ----------
    question : the question, in a sentence or two
    title : the answer in one sentence
    answer : the numbers behind it, or why there is none; one sentence
    picture : the estimate on its axis; None where there is no estimate
    lines : heading and sentence of how sure it is, what could have been missed, what comes next
    """

    question: Markup
    title: Markup
    answer: Markup
    picture: Chart | None
    lines: list[tuple[Markup, Markup]]


def how_sure(page: Context, row: Row) -> tuple[Markup, Markup]:
    """Return heading and sentence of how often luck alone gives such a change, and the interval.

    Parameters
    ----------
    page : Context
    row : of the query `primary`, or of one with its columns
    """
    chances = {"p": num(row, "p_single", "share"), "family": num(row, "p_value", "share")}
    surely = "found" if row["verdict"] == "found" else "none"
    chances["surely"] = page.words(f"first.surely_{surely}")
    if number(row["ci_low"]) is None or number(row["ci_high"]) is None:
        said = page.words("first.sure_without_interval", **chances)
    else:
        ends = {"low": num(row, "ci_low", "+3"), "high": num(row, "ci_high", "+3")}
        said = page.words("first.sure", **chances, **ends)
    return page.words("first.how_sure"), said


def could_be_missed(page: Context, row: Row) -> tuple[Markup, Markup]:
    """Return heading and sentence of the sizes that this test would miss; `row` as `how_sure`."""
    sizes = {name: num(row, f"minimum_detectable_{name}", "3") for name in ("rise", "fall")}
    if any(number(row[f"minimum_detectable_{name}"]) is None for name in sizes):
        key = "first.missed_any"
    elif row["verdict"] == "not_found_could_have_been":
        key = "first.missed_small"
    else:
        key = "first.missed_large"
    return page.words("first.could_be_missed"), page.words(key, **sizes)


def estimate_on_axis(
    page: Context,
    row: Row,
    labels: dict[str, str],
    others: Sequence[Estimate] = (),
    *,
    data: str = "primary",
    tables: str = "estimates.primary",
) -> Chart:
    """Return the picture of an estimate with its interval; shaded are the true effects that its
    test finds at least eight times in ten.

    Parameters
    ----------
    page : Context
    row : as `how_sure`
    labels : `title`, the finding; `row`, what the estimate is called; `axis`, what is measured;
    `note`, how to read the picture, empty where no note is needed
    others : further rows of the same axis
    data, tables : as of a `Chart`
    """
    w = page.words
    label = w.plain("first.row", name=labels["row"], **estimate_said(page, row))
    own = Estimate(label, float(row["estimate"]), intervals(row, INTERVAL), "blue")
    detectable = tuple(number(row[f"minimum_detectable_{side}"]) for side in ("fall", "rise"))
    words = {"alt": labels["title"], "truth": w.plain("label.truth")}
    truth = number(row.get("truth")) if page.data.is_simulated else None
    years = {"first": int(row["first_year"]), "last": int(row["last_year"])}
    kind = "plain" if None in detectable else "shaded"
    return Chart(
        name="answer-axis",
        title=labels["title"],
        svg=plots.answer([own, *others], detectable, truth, words),
        data=data,
        tables=tables,
        note=labels["note"],
        subtitle=w.plain(f"first.subtitle_{kind}", what=labels["axis"], **years),
    )


def estimate_said(page: Context, row: Row) -> dict[str, str]:
    """Return estimate and interval as words without markup."""
    ends = {"low": shown(row["ci_low"], "+3"), "high": shown(row["ci_high"], "+3")}
    interval = page.words.plain("label.to", **ends)
    return {"estimate": shown(row["estimate"], "+3"), "interval": interval}


def intervals(row: Row, *names: tuple[str, str]) -> tuple[tuple[float, float], ...]:
    """Return those intervals of a row that have both ends."""
    found = []
    for low_name, high_name in names:
        low, high = number(row[low_name]), number(row[high_name])
        if low is not None and high is not None:
            found.append((low, high))
    return tuple(found)
