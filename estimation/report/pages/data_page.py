"""The page Data: coverage, sources, conflicts, revisions, changes, flags, what was not taken,
checks, files, dictionary.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import numpy as np

from ..cells import Row
from ..language import book
from .context import Context

SHADES = 5
MOST = 12


def data_page(page: Context) -> dict[str, Any]:
    """Return everything the template of the page sets."""
    changes = page.rows("estimate_changes")
    moved = [row for row in changes if row["old_estimate"] != row["new_estimate"]]
    return {
        "coverage": _coverage(page),
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
        "value_changed": [
            (_place(page, row), _link(row), row) for row in page.rows("value_changed")[:MOST]
        ],
        "verdict_changes": page.rows("verdict_changes"),
        "changes": moved[:MOST],
        "n_changes": len(moved),
        "flags": [(_place(page, row), _link(row), row) for row in page.rows("flags")],
        "n_flagged": sum(row["n_values"] for row in page.rows("flags")),
        "errata": [(_place(page, row), _link(row), row) for row in page.rows("errata")],
        "rejected": page.rows("rejected"),
        "gates": page.rows("gates"),
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


def _indicator_names(page: Context) -> dict[str, str]:
    column = f"label_{page.words.language}"
    return {
        row["indicator_id"]: row[column] or row["indicator_id"] for row in page.rows("indicators")
    }


def _coverage(page: Context) -> dict[str, Any]:
    """Indicators by years of the study, without one by the last years: places with a current value,
    and a shade from 0 (none) to 5 (as many as any indicator of its kind ever has).
    """
    frame = page.data["coverage"]
    if frame.empty:
        return {"years": [], "rows": []}
    table = frame.pivot_table(
        index="indicator_id", columns="year", values="n_places", aggfunc="sum"
    ).sort_index()
    years = sorted(set(page.data["all_paths"]["year"].astype(int))) or list(table.columns[-MOST:])
    levels = {row["indicator_id"]: row["place_level"] for row in page.rows("indicators")}
    of_level = table.index.map(lambda name: levels.get(name, "city"))
    most = table.max(axis=1).groupby(of_level).transform("max").clip(lower=1.0)
    counts = table.reindex(columns=years).fillna(0.0)
    shades = np.ceil(counts.div(most, axis=0) * SHADES)
    names = _indicator_names(page)
    rows = []
    for indicator in table.index:
        cells = [
            {"n": int(n), "shade": int(shades.at[indicator, year]), "year": year}
            for year, n in counts.loc[indicator].items()
        ]
        name = names.get(indicator, indicator)
        rows.append({"id": indicator, "name": name, "cells": cells})
    return {"years": years, "rows": rows}


def _place(page: Context, row: Row) -> str:
    return page.places.get(int(row["city_id"]), str(row["city_id"]))


def _link(row: Row) -> str:
    return "cities.html#" + urlencode(
        {"city": row["city_id"], "indicator": row["indicator_id"], "year": row["year"]}
    )


def _tables(page: Context) -> list[tuple[str, str, int]]:
    """Return published tables: name, what a row is, number of columns."""
    counts = page.data["columns"]["table_name"].value_counts()
    comments = {row["table_name"]: row["comment"] for row in page.rows("table_comments")}
    words = comments | (book("dictionary.yml")["tables"] if page.words.language == "zh" else {})
    return [(name, words.get(name) or "", int(counts[name])) for name in sorted(counts.index)]
