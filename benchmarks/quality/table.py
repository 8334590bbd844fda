"""The benchmark's table: all kinds as CSV, on the page the names of those that miss their goal."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pandas as pd

from benchmarks.quality.kinds import KINDS, Kind
from benchmarks.quality.landings import FLAGS, GDP, GROWTH, POPULATION

MARK = "measured"
LANDINGS = {"real": "delivered", "simulated": "simulated"}
MOST_RESTATED = 0.01
#: Ends a cell whose goal is missed.
MISSED = " *"


def write_document(path: Path, summary: pd.DataFrame, shares: dict, n_runs: int) -> None:
    """Write all kinds into a CSV next to a document, and replace the measured part of the document;
    what people wrote around it stays.
    """
    rows = table(summary)
    write_csv(path.with_suffix(".csv"), rows)
    head, *kinds = rows
    missed = [row[0] for row in kinds if row[3].endswith(MISSED)]
    counted = (
        f"Measured {datetime.now(UTC):%Y-%m-%d}; mixed runs: {n_runs}. Of {len(kinds)} kinds these "
        f"{len(missed)} miss their goal in the column '{head[3]}': {', '.join(missed)}."
    )
    write_between(path, MARK, "\n\n".join([counted, clean_shares(shares)]))


def write_csv(path: Path, rows: list[list[str]]) -> None:
    """Write rows of text as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def table(summary: pd.DataFrame) -> list[list[str]]:
    """Return the header and a row a kind; a column for each number of sources and landing that was
    measured.

    Parameters
    ----------
    summary : data frame
        As `score.summarise` gives it.
    """
    measured = set(zip(summary["sources"], summary["landing"], strict=True))
    columns = [column for column in product(("two", "one"), LANDINGS) if column in measured]
    heads = [
        f"{LANDINGS[landing]}, {sources} source{'s' if sources == 'two' else ''}"
        for sources, landing in columns
    ]
    lines = [["kind", "goal", "events", *heads]]
    for kind in KINDS:
        of_kind = summary[(summary["kind"] == kind.name) & _has_goals(kind, summary)]
        if of_kind.empty:
            continue
        parts = [
            of_kind[(of_kind["sources"] == sources) & (of_kind["landing"] == landing)]
            for sources, landing in columns
        ]
        cells = [_cell(kind, part, column[0]) for part, column in zip(parts, columns, strict=True)]
        lines.append([kind.name, _goal_words(kind), _range(of_kind["n_events"]), *cells])
    return lines


def _has_goals(kind: Kind, rows: pd.DataFrame) -> pd.Series:
    """The project's goals speak of product and population where a kind strikes these, else of all
    that it strikes.
    """
    if "level" in kind.per_run:
        return rows["family"].isin([GDP, POPULATION])
    return (rows["family"] == GROWTH) == ("growth" in kind.per_run)


def _cell(kind: Kind, part: pd.DataFrame, sources: str) -> str:
    """Found by indicator, product first, and the lowest precision; marked where a goal is
    missed.
    """
    if part.empty:
        return "-"
    order = part["family"].map({GDP: 0, POPULATION: 1}).fillna(2)
    part = part.iloc[order.argsort(kind="stable")]
    if not kind.is_defect:
        text = "/".join(map(_share, part["cells_blocked"]))
        is_met = part["cells_blocked"] <= MOST_RESTATED
        return text if is_met.all() else f"{text}{MISSED}"
    # an indicator without a second source is asked the same with one
    sources = sources if "level" in kind.per_run else "two"
    goal = (kind.goal or {}).get(sources)
    grade, least = goal or (_shown_grade(kind), 0.0)
    is_met = part[f"events_{grade}"] >= least
    if sources == "two" and grade == "blocked" and least >= 0.95:
        is_met &= part["precision"] >= least
    text = f"{_shares(part[f'events_{grade}'])} ({_share(part['precision'].min())})"
    return text if is_met.all() else f"{text}{MISSED}"


def _shown_grade(kind: Kind) -> str:
    """Grade that a share is given of where no goal says it."""
    return kind.goal["two"][0] if kind.goal else "flagged"


def _goal_words(kind: Kind) -> str:
    if not kind.is_defect:
        return f"at most {MOST_RESTATED} of cells blocked"
    if not kind.goal:
        return "none (flagged)"
    grade, least = kind.goal["two"]
    one = kind.goal.get("one", kind.goal["two"])[1]
    words = f"{grade} {least:.2f}"
    if "one" not in kind.goal:
        return f"{words}, two sources"
    return words if one == least else f"{words}, {one:.2f} with one"


def _shares(values: pd.Series) -> str:
    """One share a series; the lowest of more than two."""
    return _share(values.min()) if len(values) > 2 else "/".join(map(_share, values))


def _share(value: float) -> str:
    return "-" if pd.isna(value) else f"{value:.3f}"


def _range(counts: pd.Series) -> str:
    low, high = int(counts.min()), int(counts.max())
    return str(low) if low == high else f"{low}-{high}"


def clean_shares(shares: dict) -> str:
    """Of values without an injected defect: shares blocked, quarantined and warned."""
    lines = ["Without any injected defect, per cent blocked, quarantined and warned:", ""]
    for landing, stages in shares.items():
        for stage, numbers in stages.items():
            flags = ", ".join(f"{100 * numbers[flag]:.2f}" for flag in FLAGS)
            lines.append(
                f"- {LANDINGS[landing]} landing, {stage}: {flags} of {numbers['values']:,}"
            )
    return "\n".join(lines)


def write_between(page: Path, mark: str, body: str) -> None:
    """Replace what stands on a page between a mark's begin and end.

    Raises
    ------
    ValueError
        If the page lacks the mark.
    """
    text = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(
            f"{page.name}: expected {begin} and {end} once each, in this order; put them back"
        )
    before, after = text.split(begin)[0], text.split(end)[1]
    page.write_text(f"{before}{begin}\n\n{body}\n\n{end}{after}", encoding="utf-8")
