"""Rows of the report's tables, as text ready to be set (the template escapes it)."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ..analyses.without_p import why_no_p
from .data import ReportData
from .findings import HEADLINE, fmt, fmt_p, number, part_of, truth_of, verdict

LINES = {
    "province_jackknife": "province jackknife 省级刀切",
    "city": "city 城市聚类",
    "dyadic": "dyadic 二元聚类",
    "permutation": "permutation 省内置换",
    "conventional": "conventional, contrast only 仅作对照",
}
SERIES = {"growth_official": "official growth 官方增长率", "growth_deflated": "deflated growth 平减增长率"}
VARIANTS = {
    "headline": "headline: strong ties; approvals of July–December count from the next year",
    "calendar_year": "calendar year: strong ties; the year of approval is the first treated year",
    "all_pairs": "all pairs: no tie rule; approvals of July–December count from the next year",
}
FLAGS_ZH = {"warned": "提示", "quarantined": "存疑", "blocked": "停用", "corrected": "已更正"}
PARTS = {"comove": "co-movement 共动", "dispersion": "dispersion 离散"}


def headline_cards(data: ReportData) -> list[dict[str, Any]]:
    """One card a `cm` coefficient of the baseline: its lines of inference, its exact split, its truth and its warnings."""
    cards = []
    for variant, words in VARIANTS.items():
        for series, label in SERIES.items():
            spec_id = f"baseline.cm_{series}.{variant}"
            rows = _term_rows(data, spec_id)
            if rows.empty:
                continue
            found = verdict(data, spec_id)
            cards.append(
                {
                    "spec_id": spec_id,
                    "is_headline": spec_id == HEADLINE,
                    "series": label,
                    "variant": words,
                    "estimate": fmt(found.estimate, sign=True),
                    "truth": _optional(truth_of(data, spec_id)),
                    "counts": f"{found.n_cities} cities, {found.n_pilots} pilots, {found.n_pairs:,} pairs, {found.n_obs:,} pair-years",
                    "lines": [_line(rows, name) for name in LINES if (rows["vcov"] == name).any()],
                    "parts": _parts(data, spec_id),
                    "warnings": _warnings_of(data, spec_id),
                }
            )
    return cards


def _term_rows(data: ReportData, spec_id: str, term: str = "treated") -> pd.DataFrame:
    rows = data["estimate"]
    return rows[(rows["spec_id"] == spec_id) & (rows["term"] == term)]


def _line(rows: pd.DataFrame, name: str) -> dict[str, Any]:
    row = rows[rows["vcov"] == name].iloc[0]
    return {
        "label": LINES[name],
        "is_default": bool(row["is_default"]) if pd.notna(row["is_default"]) else False,
        "is_contrast": name == "conventional",
        "std_error": fmt(row["std_error"]),
        "interval": interval(row["ci_low"], row["ci_high"]),
        "p_value": p_cell(row["p_value"]),
    }


def _parts(data: ReportData, spec_id: str) -> list[dict[str, str]]:
    parts = []
    for part, label in PARTS.items():
        found = verdict(data, part_of(spec_id, part))
        if found is not None:
            parts.append(
                {
                    "label": label,
                    "estimate": fmt(found.estimate, sign=True),
                    "interval": interval(found.ci_low, found.ci_high),
                    "p_default": p_cell(found.p_default),
                    "p_permutation": p_cell(found.p_permutation),
                    "truth": _optional(truth_of(data, part_of(spec_id, part))),
                    "reason": why_no_p(part),
                }
            )
    return parts


def _warnings_of(data: ReportData, spec_id: str) -> list[str]:
    warning = data["warning"]
    return list(warning.loc[warning["spec_id"] == spec_id, "warning"])


def _optional(value: float | None) -> str | None:
    return None if value is None else fmt(value, sign=True)


def interval(low: object, high: object) -> str:
    """An interval as 'low to high'."""
    return "–" if number(low) is None or number(high) is None else f"{fmt(low)} to {fmt(high)}"


def p_cell(value: object) -> str:
    """A p value for a table cell."""
    return "–" if number(value) is None else fmt_p(value).removeprefix("= ")


def all_estimates(data: ReportData) -> list[dict[str, str]]:
    """Every coefficient but those of single cohorts and of the curve, under its default line, beside the permutation and the contrast."""
    keys = ["spec_id", "term", "cohort_year", "event_time"]
    rows = data["estimate"]
    rows = rows[(rows["analysis"] != "specification_curve") & (rows["term"] != "group_time")]
    truths = {tuple(_key(row, keys)): row["truth"] for row in data["truth"].to_dict("records")}
    groups: dict[tuple[object, ...], list[dict[str, Any]]] = {}
    for row in rows.to_dict("records"):
        groups.setdefault(tuple(_key(row, keys)), []).append(row)
    return [_coefficient(group, truths.get(key)) for key, group in groups.items()]


def _coefficient(lines: list[dict[str, Any]], truth: object) -> dict[str, str]:
    row = next((line for line in lines if pd.notna(line["is_default"]) and line["is_default"]), lines[0])
    p_of = {line["vcov"]: line["p_value"] for line in reversed(lines)}
    return {
        "spec_id": row["spec_id"],
        "term": row["term"] if pd.isna(row["event_time"]) else f"{row['term']} {int(row['event_time']):+d}".replace("-", "−"),
        "estimate": fmt(row["estimate"], sign=True),
        "std_error": fmt(row["std_error"]),
        "interval": interval(row["ci_low"], row["ci_high"]),
        "line": row["vcov"],
        "p_default": p_cell(row["p_value"]),
        "p_permutation": p_cell(p_of.get("permutation")),
        "p_conventional": p_cell(p_of.get("conventional")),
        "n_pilots": "–" if pd.isna(row["n_pilots"]) else f"{int(row['n_pilots'])}",
        "truth": fmt(truth, sign=True),
    }


def _key(row: dict[str, Any], keys: list[str]) -> list[object]:
    return [None if pd.isna(row[name]) else row[name] for name in keys]


def warnings(data: ReportData) -> dict[str, list[dict[str, Any]]]:
    """Each distinct warning with the specs it belongs to: `first` those that touch the baseline, `rest` those of other analyses alone."""
    rows = [
        {"warning": text, "specs": ", ".join(dict.fromkeys(group["spec_id"])), "n_specs": group["spec_id"].nunique()}
        for text, group in data["warning"].groupby("warning", sort=True)
    ]
    is_rest = [not any(spec.startswith("baseline.") for spec in row["specs"].split(", ")) for row in rows]
    first = [row for row, rest in zip(rows, is_rest, strict=True) if not rest]
    return {
        "first": sorted(first, key=lambda row: HEADLINE not in row["specs"]),
        "rest": [row for row, rest in zip(rows, is_rest, strict=True) if rest],
    }


def not_run(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Specs by the reason why they were not run."""
    return [{"reason": text, "specs": list(group["spec_id"])} for text, group in frame.groupby("reason", sort=True)]


def sources(data: ReportData) -> list[dict[str, Any]]:
    """Sources with files, values taken, values current and cells rejected."""
    files, values, rejected = data["files"], data["sources"].set_index("source_id"), data["rejected"]
    names = sorted({*files["source_id"].dropna(), *values.index, *rejected["source_id"].dropna()})
    table = []
    for name in names:
        own = files[files["source_id"] == name]
        found = values.loc[name] if name in values.index else {}
        table.append(
            {
                "source_id": name,
                "files": f"{int((own['status'] == 'taken').sum())} of {len(own)}",
                "n_values": f"{int(found.get('n_values', 0)):,}",
                "n_current": f"{int(found.get('n_current', 0)):,}",
                "n_flagged": f"{int(found.get('n_flagged', 0)):,}",
                "n_rejected": f"{int(rejected.loc[rejected['source_id'] == name, 'n_values'].sum()):,}",
            }
        )
    return table


def rejections(data: ReportData) -> list[dict[str, str]]:
    """What was not taken, by source and reason, with one example."""
    return [
        {"source_id": row.source_id, "reason": row.reason, "n_values": f"{int(row.n_values):,}", "example": row.example}
        for row in data["rejected"].itertuples()
    ]


def flags(data: ReportData) -> list[dict[str, str]]:
    """Values by quality flag and rule."""
    return [
        {
            "flag": row.quality_flag,
            "flag_zh": FLAGS_ZH.get(row.quality_flag, ""),
            "rule": "–" if pd.isna(row.quality_rule) else row.quality_rule,
            "n_values": f"{int(row.n_values):,}",
        }
        for row in data["flags"].itertuples()
    ]


def files(data: ReportData) -> list[dict[str, str]]:
    """Input files with the start of their hash."""
    return [
        {
            "path": row.path,
            "sha256": str(row.sha256)[:12],
            "kilobytes": f"{row.bytes / 1000:,.0f}",
            "status": row.status,
            "note": "" if pd.isna(row.note) else row.note,
        }
        for row in data["files"].itertuples()
    ]


def batches(data: ReportData) -> list[dict[str, str]]:
    """Batches of pilot zones."""
    return [
        {
            "batch": f"{int(row.batch)}",
            "date": f"{pd.Timestamp(row.approval_date):%Y-%m-%d}",
            "zones": f"{int(row.n_zones)}",
            "whole": f"{int(row.n_whole_prefecture)}",
            "document": row.document_no,
        }
        for row in data["batches"].itertuples()
    ]


def gates(data: ReportData) -> list[dict[str, str]]:
    """Checks by stage."""
    order = {"raw": 0, "staging": 1, "marts": 2, "estimates": 3}
    rows = sorted(data["gates"].itertuples(), key=lambda row: order.get(row.stage, 9))
    return [{"stage": row.stage, "n": f"{int(row.n_expectations)}", "failed": f"{int(row.n_failed)}"} for row in rows]


def gate_failures(data: ReportData) -> list[dict[str, str]]:
    """Expectations that did not hold."""
    columns = ("stage", "dataset", "expectation", "column_name", "severity", "observed")
    return [{name: "" if pd.isna(row[name]) else str(row[name]) for name in columns} for _, row in data["gate_failures"].iterrows()]
