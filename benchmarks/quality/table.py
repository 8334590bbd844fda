"""The benchmark's table for people."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from benchmarks.quality.kinds import KINDS
from benchmarks.quality.landings import GDP, GROWTH, POPULATION

BEGIN, END = "<!-- measured: written by make bench-quality -->", "<!-- end of measured -->"
FAMILIES = {GDP: "GDP", POPULATION: "population", GROWTH: "growth"}


def write_document(path: Path, summary: pd.DataFrame, shares: dict, n_runs: int) -> None:
    """Replace the measured part of a document; what people wrote around it stays."""
    write_measured(
        path, BEGIN, END, "\n\n".join([_head(n_runs), *_tables(summary), _clean_table(shares)])
    )


def write_measured(path: Path, begin: str, end: str, body: str) -> None:
    """Replace what stands between two marks of a document; a document or marks that are missing are
    made.
    """
    text = path.read_text(encoding="utf-8") if path.exists() else "# Defect injection\n"
    if begin not in text:
        text = f"{text}\n{begin}\n{end}\n"
    before, _, rest = text.partition(begin)
    after = rest.partition(end)[2]
    path.write_text(f"{before}{begin}\n\n{body}\n\n{end}{after}", encoding="utf-8")


def _head(n_runs: int) -> str:
    return (
        f"Measured {datetime.now(UTC):%Y-%m-%d}, {n_runs} mixed runs for each landing and number "
        "of sources."
    )


def _tables(summary: pd.DataFrame) -> list[str]:
    parts = []
    for (landing, sources, family), rows in summary.groupby(
        ["landing", "sources", "family"], sort=False
    ):
        source_word = "two sources" if sources == "two" else "one source"
        parts.append(f"### {landing} landing, {source_word}, {FAMILIES.get(family, family)}")
        parts.append(_table(rows, "" if family == GROWTH else sources))
    return parts


def _table(rows: pd.DataFrame, sources: str) -> str:
    head = (
        "| kind | events | cells | blocked, cells | blocked, events | flagged, cells | flagged, "
        "events | precision | "
        "even / odd years, events (blocked; flagged) | goal | met |\n|" + " --- |" * 11
    )
    lines = []
    order = {kind.name: k for k, kind in enumerate(KINDS)}
    for name in sorted(rows["kind"].unique(), key=order.__getitem__):
        lines.append(
            _line(KINDS[order[name]], rows[rows["kind"] == name].set_index("half"), sources)
        )
    return "\n".join([head, *lines])


def _line(kind, halves: pd.DataFrame, sources: str) -> str:
    total = halves.loc["all"]
    by_half = "; ".join(
        " / ".join(
            _share(halves.loc[half, column]) if half in halves.index else "-"
            for half in ("even", "odd")
        )
        for column in ("events_blocked", "events_flagged")
    )
    goal, met = _goal(kind, total, sources)
    cells = [
        kind.name,
        str(int(total["n_events"])),
        str(int(total["n_cells"])),
        *(
            _share(total[column])
            for column in ("cells_blocked", "events_blocked", "cells_flagged", "events_flagged")
        ),
        _share(total["precision"]) if kind.is_defect else "",
        by_half,
        goal,
        met,
    ]
    return "| " + " | ".join(cells) + " |"


def _goal(kind, total: pd.Series, sources: str) -> tuple[str, str]:
    """The project's goals speak of product and population, and of an index in place of growth;
    other defects of growth are only shown.
    """
    if not kind.is_defect:
        return "blocked, cells <= 0.01", "yes" if total["cells_blocked"] <= 0.01 else "NO"
    if "level" not in kind.per_run:
        sources = "two"
    if not kind.goal or sources not in kind.goal:
        return "", ""
    grade, share = kind.goal[sources]
    met = total[f"events_{grade}"] >= share
    if sources == "two" and grade == "blocked" and share >= 0.95:
        met = met and total["precision"] >= share
    return f"{grade} >= {share:.2f}", "yes" if met else "NO"


def _clean_table(shares: dict) -> str:
    lines = [
        "### Without any injected defect",
        "",
        "| landing | stage | indicator | values | blocked | quarantined | warned |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for landing, stages in shares.items():
        for stage, numbers in stages.items():
            for label in ("gdp", "population", "growth", "all"):
                flags = " | ".join(
                    f"{100 * numbers[f'{label} {flag}']:.2f} %"
                    for flag in ("blocked", "quarantined", "warned")
                )
                lines.append(
                    f"| {landing} | {stage} | {label} | {numbers[f'{label} values']:,} | {flags} |"
                )
    return "\n".join(lines)


def _share(value: float) -> str:
    return "-" if pd.isna(value) else f"{value:.3f}"
