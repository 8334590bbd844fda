"""Forest tables: every coefficient of an analysis as a bar on the axis of its outcome. Whatever analysis is estimated gets its page."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..analyses.without_p import why_no_p
from .data import ReportData
from .findings import ALPHA, fmt, number
from .tables import interval, p_cell

# these have pages of their own
OWN_PAGES = ("baseline", "dynamics", "specification_curve")
BAR_WIDTH, BAR_MARGIN = 200.0, 6.0
OUTCOME_ORDER = ("cm_growth_official", "comove_growth_official", "dispersion_growth_official", "cm_growth_deflated")


def analyses(data: ReportData) -> list[str]:
    """Analyses with a forest page: all with an estimate or a reason why not, but those that have pages of their own."""
    names = {*data["estimate"]["analysis"].dropna(), *data["not_run"]["analysis"].dropna()}
    return sorted(names - set(OWN_PAGES))


def coefficients(estimate: pd.DataFrame) -> pd.DataFrame:
    """One row a coefficient that is neither of a single year nor of a single cohort: its default line beside the permutation.

    Parameters
    ----------
    estimate : rows of ``estimates.estimate``

    Returns
    -------
    DataFrame
        Columns of the default line (of the first line where none is default), and `p_permutation, low_permutation, high_permutation,
        p_conventional, low_conventional, high_conventional`.
    """
    keys = ["spec_id", "term"]
    rows = estimate[estimate["event_time"].isna() & estimate["cohort_year"].isna()]
    rows = rows.assign(is_default=rows["is_default"].fillna(False).astype(bool))
    chosen = rows.sort_values([*keys, "is_default"], ascending=[True, True, False], kind="stable").drop_duplicates(keys)
    for line in ("permutation", "conventional"):
        own = rows.loc[rows["vcov"] == line, [*keys, "p_value", "ci_low", "ci_high"]].drop_duplicates(keys)
        own = own.rename(columns={"p_value": f"p_{line}", "ci_low": f"low_{line}", "ci_high": f"high_{line}"})
        chosen = chosen.merge(own, on=keys, how="left")
    return chosen


def blocks(data: ReportData, analysis: str) -> list[dict[str, Any]]:
    """Forest tables of an analysis, one an outcome."""
    estimate = data["estimate"]
    rows = coefficients(estimate[estimate["analysis"] == analysis])
    truth = data["truth"]
    truth = truth[truth["event_time"].isna() & truth["cohort_year"].isna()]
    rows = rows.merge(truth[["spec_id", "term", "truth"]].drop_duplicates(["spec_id", "term"]), on=["spec_id", "term"], how="left")
    outcomes = sorted(rows["outcome"].unique(), key=lambda name: (OUTCOME_ORDER.index(name) if name in OUTCOME_ORDER else 99, name))
    return [_block(outcome, rows[rows["outcome"] == outcome]) for outcome in outcomes]


def _block(outcome: str, rows: pd.DataFrame) -> dict[str, Any]:
    ends = rows[["ci_low", "ci_high", "estimate", "truth"]].to_numpy(dtype=float, na_value=np.nan)
    finite = np.append(ends[np.isfinite(ends)], 0.0)
    low, high = float(finite.min()), float(finite.max())
    span = high - low or 1.0

    def position(value: object) -> float | None:
        if pd.isna(value):
            return None
        place = BAR_MARGIN + (float(value) - low) / span * (BAR_WIDTH - 2 * BAR_MARGIN)
        return round(min(max(place, 0.0), BAR_WIDTH), 1)  # the permutation's interval may leave the axis

    def bar(start: object, end: object) -> list[float] | None:
        return None if pd.isna(start) or pd.isna(end) else [position(start), position(end)]

    return {
        "outcome": outcome,
        "reason": why_no_p(outcome),
        "low": fmt(low),
        "high": fmt(high),
        "zero": position(0.0),
        "rows": [_row(row, position, bar) for row in rows.to_dict("records")],
    }


def both_reject(line: str, p_default: object, p_permutation: object) -> str:
    """Whether the default line and the permutation both reject zero: yes or no, and what to say where there are not two lines."""
    found = [number(p) for p in (p_default, p_permutation)]
    if None in found:
        return "–"
    if line == "permutation":
        return "one line"
    return "yes" if max(found) < ALPHA else "no"


def _row(row: dict[str, Any], position: Any, bar: Any) -> dict[str, Any]:
    return {
        "label": row["spec_id"].split(".", 2)[-1],
        "term": f"{row['term']} · {row['estimator']}",
        "x": position(row["estimate"]),
        "bar": bar(row["ci_low"], row["ci_high"]),
        "wide": bar(row["low_permutation"], row["high_permutation"]),
        "truth_x": position(row["truth"]),
        "few": pd.notna(row["n_pilots"]) and row["n_pilots"] < 4,
        "estimate": fmt(row["estimate"], sign=True),
        "truth": fmt(row["truth"], sign=True),
        "interval": interval(row["ci_low"], row["ci_high"]),
        "p_default": p_cell(row["p_value"]),
        "p_permutation": p_cell(row["p_permutation"]),
        "both": both_reject(row["vcov"], row["p_value"], row["p_permutation"]),
        "n_pilots": "–" if pd.isna(row["n_pilots"]) else f"{int(row['n_pilots'])}",
    }
