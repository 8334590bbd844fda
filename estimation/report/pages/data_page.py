"""The page Data: coverage, sources, conflicts, revisions, changes, flags, what was not taken,
checks, files, dictionary.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import numpy as np

from ..cells import Row
from ..language import table_words
from .context import Context

SHADES = 5
MOST = 12
# a series that alone reaches back decades would fill the table with empty years; the file keeps
# them
FEWEST_INDICATORS = 3


def data_page(page: Context) -> dict[str, Any]:
    """Everything the template of the page sets."""
    years = _window(page)
    changes = page.rows("estimate_changes")
    moved = [row for row in changes if row["old_estimate"] != row["new_estimate"]]
    return {
        "window": _coverage(page, years),
        "all_years": None if years else _coverage(page, None),
        "sources": page.rows("sources"),
        "origins": [row for row in page.rows("origins") if row["producer"]],
        "causes": page.rows("conflict_causes"),
        "worst": [
            (_place(page, row), _link(row), row) for row in page.rows("conflict_worst")[:MOST]
        ],
        "revisions": page.rows("revisions"),
        "largest": [
            (_place(page, row), _link(row), row) for row in page.rows("revision_worst")[:MOST]
        ],
        "value_changes": page.rows("value_changes"),
        "flag_totals": page.rows("flag_totals"),
        "flag_changes": page.rows("flag_changes")[:MOST],
        "current_changes": page.rows("current_changes"),
        "changes": moved[:MOST],
        "n_changes": len(moved),
        "flags": [(_place(page, row), _link(row), row) for row in page.rows("flags")],
        "n_flagged": sum(row["n_values"] for row in page.rows("flags")),
        "rejected": page.rows("rejected"),
        "gates": sorted(page.rows("gates"), key=lambda row: _STAGES.get(row["stage"], 9)),
        "failures": page.rows("gate_failures"),
        "failing": {
            (row["stage"], row["check_id"]): f"{row['failing_row']} {row['failing_value'] or ''}"
            for row in page.some("gate_rows", nth=1)
        },
        "n_files": len(page.rows("files")),
        "not_taken": [row for row in page.rows("files") if row["status"] != "taken"],
        "tables": _tables(page),
        "codebook": page.rows("codebook"),
        "indicator_name": _indicator_names(page),
    }


_STAGES = {"raw": 0, "staging": 1, "marts": 2, "estimates": 3}


def _window(page: Context) -> list[int] | None:
    years = page.data["all_paths"]["year"]
    return None if years.empty else list(range(int(years.min()), int(years.max()) + 1))


def _indicator_names(page: Context) -> dict[str, str]:
    column = f"label_{page.words.language}"
    return {
        row["indicator_id"]: row[column] or row["indicator_id"] for row in page.rows("indicators")
    }


def _coverage(page: Context, years: list[int] | None) -> dict[str, Any]:
    """Indicators by years: places with a current value, and a shade from 0 (none) to 5 (as many as
    any indicator of its kind ever has).
    """
    frame = page.data["coverage"]
    if frame.empty:
        return {"years": [], "rows": []}
    table = frame.pivot_table(
        index="indicator_id", columns="year", values="n_places", aggfunc="sum"
    ).sort_index()
    if years is None:
        wide = table.columns[table.notna().sum() >= min(FEWEST_INDICATORS, len(table))]
        years = list(
            range(int((wide if len(wide) else table.columns).min()), int(table.columns.max()) + 1)
        )
    levels = {row["indicator_id"]: row["place_level"] for row in page.rows("indicators")}
    of_level = table.index.map(lambda name: levels.get(name, "city"))
    most = table.max(axis=1).groupby(of_level).transform("max").clip(lower=1.0)
    counts = table.reindex(columns=years).fillna(0.0)
    shades = np.ceil(counts.div(most, axis=0) * SHADES)
    names = _indicator_names(page)
    rows = [
        {
            "id": indicator,
            "name": names.get(indicator, indicator),
            "cells": [
                {"n": int(n), "shade": int(shades.at[indicator, year]), "year": year}
                for year, n in counts.loc[indicator].items()
            ],
        }
        for indicator in table.index
    ]
    return {"years": years, "rows": rows}


def _place(page: Context, row: Row) -> str:
    return page.places.get(int(row["city_id"]), str(row["city_id"]))


def _link(row: Row) -> str:
    return "cities.html#" + urlencode(
        {"city": row["city_id"], "indicator": row["indicator_id"], "year": row["year"]}
    )


def _tables(page: Context) -> list[tuple[str, str, int]]:
    """Published tables: name, what a row is, number of columns."""
    counts = page.data["columns"]["table_name"].value_counts()
    comments = {row["table_name"]: row["comment"] for row in page.rows("table_comments")}
    words = table_words if page.words.language == "zh" else comments.get
    return [
        (name, words(name) or comments.get(name) or "", int(counts[name]))
        for name in sorted(counts.index)
    ]
