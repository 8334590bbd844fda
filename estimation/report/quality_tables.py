"""Rows of the data-quality page: coverage, conflicts, revisions, flags, and what was not taken."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd

from .data import ReportData
from .findings import number

SHADES = 5
MOST_FREQUENT = 100
# one series that reaches back decades would fill the table with empty years; the file keeps them
FEWEST_INDICATORS = 3
CAUSES_ZH = {
    "unit_factor": "单位换算",
    "row_shift": "错行",
    "index_for_growth": "指数误作增速",
    "period_shift": "年份错位",
    "swap": "对调",
    "stale": "沿用旧值",
    "boundary_change": "区划调整",
    "revision": "数据修订",
    "rounding": "四舍五入",
    "unexplained": "原因不明",
}


def value_text(value: object) -> str:
    """A delivered or stored number with up to six figures that count."""
    found = number(value)
    return "–" if found is None else f"{found:,.6g}".replace("-", "−")


def percent(value: object) -> str:
    """A relative gap in per cent."""
    found = number(value)
    if found is None:
        return "–"
    return f"{found * 100:,.2f} %".replace("-", "−") if abs(found) < 10 else f"{found * 100:,.0f} %".replace("-", "−")


def coverage_heat(data: ReportData) -> dict[str, Any]:
    """Indicators by years with the number of places that have a current value, and a shade from 0 (none) to 5 (all)."""
    coverage = data["coverage"]
    if coverage.empty:
        return {"years": [], "rows": []}
    table = coverage.pivot_table(index="indicator_id", columns="year", values="n_places", aggfunc="sum").sort_index()
    wide = table.columns[table.notna().sum() >= min(FEWEST_INDICATORS, len(table))]
    first, last = int((wide if len(wide) else table.columns).min()), int(table.columns.max())
    years = list(range(first, last + 1))
    counts = table.reindex(columns=years).to_numpy(dtype=float, na_value=0.0)
    catalog = data["indicators"].set_index("indicator_id")
    levels = [catalog["place_level"].get(name, "city") for name in table.index]
    most = {level: max((counts[k].max() for k in range(len(levels)) if levels[k] == level), default=1.0) for level in set(levels)}
    rows = []
    for k, name in enumerate(table.index):
        shades = np.ceil(np.nan_to_num(counts[k]) / most[levels[k]] * SHADES).astype(int)
        cells = [{"n": f"{int(n)}" if n else "", "shade": int(shade)} for n, shade in zip(counts[k], shades, strict=True)]
        rows.append({"en": name, "zh": catalog["label_zh"].get(name, ""), "cells": cells})
    return {"years": years, "rows": rows}


def conflicts(data: ReportData) -> dict[str, Any]:
    """Conflicts by cause, by indicator and sources, and the widest ones."""
    causes = data["conflict_causes"]
    total, unexplained = int(causes["n_values"].sum()), int(causes.loc[causes["suspected_cause"] == "unexplained", "n_values"].sum())
    groups = data["conflict_sources"].head(MOST_FREQUENT)
    return {
        "words": f"{total:,} were found, {unexplained:,} of them without a suspected cause." if total else "",
        "causes": [
            {
                "suspected_cause": row.suspected_cause,
                "cause_zh": CAUSES_ZH.get(row.suspected_cause, ""),
                "n_values": f"{int(row.n_values):,}",
                "median_abs_gap": percent(row.median_abs_gap),
            }
            for row in causes.itertuples()
        ],
        "sources": [
            {
                **{name: row[name] for name in ("indicator_id", "chosen_source_id", "other_source_id", "suspected_cause")},
                "n_values": f"{int(row['n_values']):,}",
                "median_abs_gap": percent(row["median_abs_gap"]),
                "max_abs_gap": percent(row["max_abs_gap"]),
            }
            for row in groups.to_dict("records")
        ],
        "worst": [
            {
                **_where(data, row),
                **{name: row[name] for name in ("chosen_source_id", "other_source_id", "suspected_cause")},
                "chosen_value": value_text(row["chosen_value"]),
                "other_value": value_text(row["other_value"]),
                "gap": percent(row["relative_gap"]),
            }
            for row in data["conflict_worst"].to_dict("records")
        ],
    }


def revisions(data: ReportData) -> dict[str, Any]:
    """Revisions by source, indicator and editions, and the largest ones."""
    return {
        "groups": [
            {
                "source_id": row["source_id"],
                "indicator_id": row["indicator_id"],
                "editions": _editions(row),
                "n_values": f"{int(row['n_values']):,}",
                "median": percent(row["median_abs_change"]),
            }
            for row in data["revisions"].to_dict("records")
        ],
        "worst": [
            {
                **_where(data, row),
                "source_id": row["source_id"],
                "editions": _editions(row),
                "old_value": value_text(row["old_value"]),
                "new_value": value_text(row["new_value"]),
                "change": percent(row["relative_change"]),
            }
            for row in data["revision_worst"].to_dict("records")
        ],
    }


def changes(data: ReportData) -> dict[str, Any]:
    """What a refresh changed against the publication before: values by source, and the estimates, the baseline first."""
    moved = data["estimate_changes"]
    return {
        "by_source": [
            {name: f"{int(row[name]):,}" if name.startswith("n_") else row[name] for name in row}
            for row in data["value_changes"].to_dict("records")
        ],
        "n_estimates": f"{len(moved):,}",
        "estimates": [
            {
                "spec_id": row["spec_id"],
                "term": row["term"],
                **{name: value_text(row[name]) for name in ("old_estimate", "new_estimate", "old_p_value", "new_p_value")},
                "errors": _signed(row["difference_in_old_errors"]),
            }
            for row in moved.head(MOST_FREQUENT).to_dict("records")
        ],
    }


def _signed(value: object) -> str:
    found = number(value)
    return "–" if found is None else f"{found:+.2f}".replace("-", "−")


def flagged(data: ReportData) -> list[dict[str, str]]:
    """Flagged values with what was delivered and the cell it stood in."""
    return [
        {
            **_where(data, row),
            "raw_text": _text(row["raw_text"]),
            "value": value_text(row["value"]),
            "quality_flag": row["quality_flag"],
            "quality_rule": _text(row["quality_rule"]),
            "cell": _cell(row),
            "quality_detail": _text(row["quality_detail"]),
        }
        for row in data["flagged_rows"].to_dict("records")
    ]


def rejected_rows(data: ReportData) -> list[dict[str, str]]:
    """Examples of what was not taken, with what was expected and what to do."""
    return [
        {**{name: _text(row[name]) for name in ("source_id", "reason", "raw_text", "detail")}, "cell": _cell(row)}
        for row in data["rejected_rows"].to_dict("records")
    ]


def _text(value: object) -> str:
    return "" if pd.isna(value) else str(value)


def _cell(row: dict[str, Any]) -> str:
    return " ".join(filter(None, (_text(row[name]) for name in ("file_name", "sheet_name", "cell_ref"))))


def _editions(row: dict[str, Any]) -> str:
    return " → ".join("–" if pd.isna(row[name]) else f"{int(row[name])}" for name in ("old_edition_year", "new_edition_year"))


def _where(data: ReportData, row: dict[str, Any]) -> dict[str, str]:
    names = data.place_names
    code, year = int(row["city_id"]), int(row["year"])
    return {
        "city": names.get(code, f"{code}"),
        "year": f"{year}",
        "indicator_id": row["indicator_id"],
        "link": f"city.html#{code}/{quote(str(row['indicator_id']), safe='')}/{year}",
    }
