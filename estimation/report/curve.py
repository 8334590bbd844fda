"""The specification curve: every specification with its choices, for a picture that is drawn and filtered in the page."""

from __future__ import annotations

from typing import Any

import pandas as pd

from .data import ReportData
from .findings import number
from .forest import coefficients

DIMENSIONS = {
    "outcome": "outcome 结果变量",
    "series": "growth series 增长序列",
    "window": "window 窗口",
    "treatment_rule": "treatment rule 处理规则",
    "tie_rule": "pairs 城市对",
    "effects": "effects 固定效应",
    "estimator": "estimator 估计量",
    "control_group": "controls 对照组",
}
OVERALL = ("treated", "att")
DIGITS = 6


def specifications(data: ReportData) -> pd.DataFrame:
    """One row a specification: its choices, its estimate, its default and its conventional interval, sorted by the estimate.

    Where no curve was run, the headline and the other estimators stand in, with the choices that `estimates.estimate` knows.
    """
    choices, estimate = data["specification"], data["estimate"]
    if choices.empty:
        estimate = estimate[estimate["analysis"].isin(["baseline", "robustness"])]
        names = [name for name in DIMENSIONS if name in estimate.columns]
        choices = estimate[["spec_id", *names]].drop_duplicates("spec_id")
    rows = coefficients(estimate[estimate["spec_id"].isin(set(choices["spec_id"])) & estimate["term"].isin(OVERALL)])
    known = [name for name in DIMENSIONS if name in choices.columns]
    rows = rows.drop(columns=[name for name in known if name in rows.columns])
    rows = rows.merge(choices[["spec_id", *known]], on="spec_id", how="inner")
    columns = ["spec_id", *known, "estimate", "ci_low", "ci_high", "p_value", "low_conventional", "high_conventional", "p_conventional"]
    columns += ["p_permutation", "n_obs", "n_pairs", "n_cities", "n_pilots"]
    return rows[columns].sort_values(["estimate", "spec_id"], kind="stable").reset_index(drop=True)


def curve_data(rows: pd.DataFrame) -> dict[str, Any]:
    """What the page's script needs: choices as numbers of a list of levels, and the figures."""
    dimensions = []
    for name, label in DIMENSIONS.items():
        if name in rows and rows[name].notna().any():
            texts = rows[name].map(lambda value: "–" if pd.isna(value) else str(value))
            levels = sorted(set(texts))
            dimensions.append(
                {"name": name, "label": label, "levels": levels, "of": [levels.index(text) for text in texts]},
            )
    figures = ["estimate", "ci_low", "ci_high", "p_value", "low_conventional", "high_conventional", "p_conventional", "n_pairs", "n_pilots"]
    return {"spec_id": rows["spec_id"].tolist(), "dimensions": dimensions, **{name: _rounded(rows[name]) for name in figures}}


def _rounded(column: pd.Series) -> list[float | None]:
    found = [number(value) for value in column]
    return [None if value is None else round(value, DIGITS) for value in found]
