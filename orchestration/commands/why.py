"""`citysync why CITY INDICATOR YEAR`: one cell of a publication explained by the models."""

from __future__ import annotations

import json
import math
import sys
import time
from dataclasses import asdict
from pathlib import Path

from estimation.analyses.primary import LEFT_OUT
from orchestration.home import Home
from orchestration.publication_folders import opened
from orchestration.templates import fill
from orchestration.terminal import Exit, end_command, put, say
from warehouse.corrections import find_city, year_of
from warehouse.replay.cell import Explanation, Figure, Test, explain
from warehouse.replay.flips import Flip, find_flips
from warehouse.replay.measures import LOG, SHARE
from warehouse.replay.models import WAREHOUSE
from warehouse.whole_files import write_text

#: Between two lines of progress.
SECONDS_BETWEEN = 5
LEGEND = (
    "passed: the rule does not flag; found: it does; vetoed: what is measured is beyond the "
    "threshold, but the condition in parentheses holds the rule back."
)


def why(
    city: str | None,
    indicator: str | None,
    year: str | None,
    run: str | None,
    flips: bool,
    html: str | None,
    as_json: bool,
) -> int:
    """Print every delivered figure of a cell, what each rule measures of it, which one is current
    and why, and what it enters.

    Parameters
    ----------
    city, indicator, year : str
        Code or name of the city, id of the indicator, calendar year.
    run : str, optional
        Run id of a publication that is kept; default: the current one.
    flips : bool
        Also find the smallest change of the current figure that turns each decision.
    html : str, optional
        File that receives the same as a page.
    as_json : bool
        Print JSON instead.

    Returns
    -------
    Exit
        0 where the cell was explained; 2 where there is none, or no such city or indicator.
    """
    turned: list[Flip] = []
    with (
        opened(Home.from_environment(), run) as publication,
        publication.connect(WAREHOUSE / "seeds") as con,
    ):
        where = (find_city(con, city), year_of(year), indicator or "")
        cell = explain(con, where, left_out=LEFT_OUT)
        if flips:
            turned = find_flips(con, where, observation_id=_figure_to_vary(cell), tried=_Progress())
    of_run = f"run {publication.manifest['run_id']}"
    if as_json:
        given = asdict(cell) | {"flips": [vars(flip) for flip in turned], "run": of_run}
        put(json.dumps(given, ensure_ascii=False, indent=2))
        return Exit.DONE
    if html:
        page = fill(
            Path(__file__).with_name("why.html.j2"),
            cell=cell,
            run=of_run,
            headline=_headline,
            legend=LEGEND,
            margin=_margin,
            turned=[_flip(one).strip() for one in turned],
        )
        write_text(Path(html), page)
    else:
        for line in _lines(cell, turned):
            say(line)
    return end_command(
        Exit.DONE,
        f"{cell.indicator} of {cell.city} in {cell.year}, {of_run}"
        + (f", in {html}" if html else ""),
    )


class _Progress:
    """Says on standard error how many figures were tried, at most every few seconds."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.said = -math.inf

    def __call__(self, n_tried: int, n_most: int) -> None:
        seconds = time.monotonic() - self.started
        if seconds - self.said >= SECONDS_BETWEEN:
            self.said = seconds
            text = f"{seconds:5.0f} s  {n_tried} of at most {n_most} changed figures checked"
            print(text, file=sys.stderr, flush=True)


def _figure_to_vary(cell: Explanation) -> int:
    """Return the figure that --flips varies: the current one, else the first of the indicator, or
    of the other form of its quantity where no file delivers the indicator.
    """
    figures = [one.facts for one in cell.figures]
    own = [facts for facts in figures if facts["indicator_id"] == cell.indicator] or figures
    current = [facts for facts in own if facts["is_current"]]
    return (current or own)[0]["observation_id"]


def _lines(cell: Explanation, turned: list[Flip]) -> list[str]:
    """Return the explanation as text."""
    lines = [
        f"{cell.city}, {cell.indicator}, {cell.year}",
        "",
        f"Who says what: {cell.sources}",
        cell.choice,
        "",
    ]
    for number, figure in enumerate(cell.figures, 1):
        lines.append(f"{number}. {_headline(figure)}")
        for flag in figure.flags:
            lines.append(f"   {flag['rule']} ({flag['grade']}): {flag['detail']}")
        if figure.remark:
            lines.append(f"   {figure.remark}")
        for test in figure.tests:
            lines.append(f"     {test.rule:18} {test.outcome:7} {_margin(test, figure)}")
        lines.append("")
    lines += ["It enters:", *(f"  {one}" for one in cell.uses)]
    if cell.delivered:
        lines += ["", f"citysync correct takes: {', '.join(cell.delivered)}"]
    lines += ["", LEGEND]
    if turned:
        lines += ["", "The nearest figure that turns a decision:", *map(_flip, turned)]
    return lines


def _headline(figure: Figure) -> str:
    facts = figure.facts
    edition = f" edition {facts['edition_year']}" if facts["edition_year"] else ""
    place = " ".join(filter(None, (facts["sheet_name"], facts["cell_ref"])))
    state = "current" if facts["is_current"] else "not current"
    flag = " ".join(filter(None, (facts["quality_flag"], facts["quality_rule"])))
    return (
        f"{facts['value']:.10g} {facts['unit']} ({facts['indicator_id']}) from "
        f"{facts['source_id']}{edition}, {facts['file_name']} {place}, text {facts['raw_text']!r}: "
        f"{state}, {flag}"
    )


def _margin(test: Test, figure: Figure) -> str:
    """Return what was measured beside the threshold, and what it is."""
    note = f" ({test.note})" if test.note else ""
    if test.measured is None:
        return f"{test.what}{note}"
    sign = "flags at or below" if test.is_at_most else "flags from"
    is_rate = figure.facts["is_rate"]
    measured = _size(test.measured, test.kind, is_rate=is_rate)
    threshold = _size(test.threshold, test.kind, is_rate=is_rate)
    return f"{measured}, {sign} {threshold}: {test.what}{note}"


def _size(number: float | None, kind: str, *, is_rate: bool) -> str:
    if number is None:
        return ""
    if kind == LOG and is_rate:
        size = f"{100 * number:.3g} points"
    elif kind == LOG and number > math.log(10):
        size = f"{math.exp(number):.3g} times"
    elif kind == LOG:
        size = f"{100 * math.expm1(number):.3g} %"
    elif kind == SHARE:
        size = f"{100 * number:.3g} %"
    else:
        size = f"{number:.10g}"
    return size


def _flip(one: Flip) -> str:
    return f"  {one.figure:.6g}: {one.decision} becomes {one.then} (now {one.now})"
