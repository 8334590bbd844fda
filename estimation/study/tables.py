"""The tables of schema `estimates` as data frames: columns and types as in the contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..analyses.spec import Spec

Rows = list[dict[str, Any]]
Tables = dict[str, Rows]
_TEXT, _REAL, _COUNT, _FLAG = "str", "Float64", "Int64", "boolean"
ESTIMATE_COLUMNS = {
    **dict.fromkeys(("spec_id", "analysis", "estimator", "outcome", "term"), _TEXT),
    **dict.fromkeys(("cohort_year", "event_time"), _COUNT),
    "vcov": _TEXT,
    "is_default": _FLAG,
    **dict.fromkeys(("estimate", "std_error", "ci_low", "ci_high", "p_value"), _REAL),
    **dict.fromkeys(("n_obs", "n_pairs", "n_cities", "n_pilots"), _COUNT),
    **dict.fromkeys(("panel_hash", "treatment_rule", "tie_rule", "p_value_withheld_reason"), _TEXT),
    "draws": _COUNT,
}
# Columns and types by table.
COLUMNS = {
    "estimate": ESTIMATE_COLUMNS
    | {
        # what `multiplicity.correct_within_families` adds
        "family": _TEXT,
        "family_size": _COUNT,
        "p_value_family": _REAL,
        "is_found": _FLAG,
    },
    "diagnostic": {"spec_id": _TEXT, "diagnostic": _TEXT, "term": _TEXT, "value": _REAL},
    "not_run": {"spec_id": _TEXT, "analysis": _TEXT, "reason": _TEXT},
    "warning": {"spec_id": _TEXT, "warning": _TEXT},
    "specification": {
        **dict.fromkeys(("spec_id", "outcome", "measure", "series", "window"), _TEXT),
        **dict.fromkeys(
            ("treatment_rule", "tie_rule", "effects", "estimator", "control_group"), _TEXT
        ),
        "outcome_sd": _REAL,
    },
    "curve_test": {
        **dict.fromkeys(("spec_id", "outcome"), _TEXT),
        **dict.fromkeys(("n_specs", "draws"), _COUNT),
        **dict.fromkeys(("median_sd", "p_value_median", "share_rejects", "p_value_share"), _REAL),
    },
    "primary": {
        **dict.fromkeys(("spec_id", "analysis", "outcome", "treatment_rule"), _TEXT),
        **dict.fromkeys(("first_year", "last_year"), _COUNT),
        **dict.fromkeys(("estimator", "measure"), _TEXT),
        **dict.fromkeys(("before", "after", "without_admission"), _REAL),
        **dict.fromkeys(("estimate", "ci_low", "ci_high"), _REAL),
        **dict.fromkeys(("p_value", "p_value_family", "p_value_refreshes"), _REAL),
        **dict.fromkeys(("minimum_detectable_rise", "minimum_detectable_fall"), _REAL),
        "minimum_detectable_effect": _REAL,
        # as `before` and `after`; the second pair has the names of earlier rounds
        **dict.fromkeys(("synchronization_before", "synchronization_after"), _REAL),
        **dict.fromkeys(("correlation_before", "correlation_after"), _REAL),
        **dict.fromkeys(("pearson_before", "pearson_after"), _REAL),
        **dict.fromkeys(("n_cities", "n_pilots", "n_movable", "n_treated_years"), _COUNT),
        **dict.fromkeys(("n_negative", "n_unidentified"), _COUNT),
        "weight_negative": _REAL,
        "n_blocks": _COUNT,
        **dict.fromkeys(("verdict", "reason"), _TEXT),
        "truth": _REAL,
        **dict.fromkeys(("rule_name", "rule_sha256"), _TEXT),
    },
    "check": {
        **dict.fromkeys(("spec_id", "check", "name", "series"), _TEXT),
        **dict.fromkeys(("first_year", "last_year"), _COUNT),
        **dict.fromkeys(("estimate", "ci_low", "ci_high", "p_value", "p_value_family"), _REAL),
        **dict.fromkeys(("minimum_detectable_rise", "minimum_detectable_fall"), _REAL),
        **dict.fromkeys(("n_cities", "n_pilots", "n_treated_years"), _COUNT),
        **dict.fromkeys(("joint_p_value", "relative_magnitude"), _REAL),
        "reason": _TEXT,
    },
    "weight": {
        **dict.fromkeys(("spec_id", "grain", "name"), _TEXT),
        **dict.fromkeys(("weight", "weight_negative"), _REAL),
        **dict.fromkeys(("n_cells", "n_pilots"), _COUNT),
        **dict.fromkeys(("estimate", "std_error"), _REAL),
        "family": _TEXT,
        "family_size": _COUNT,
        **dict.fromkeys(("p_value", "p_value_family"), _REAL),
        "reason": _TEXT,
    },
    "own_outcome": {
        **dict.fromkeys(("spec_id", "outcome", "comparison", "unit"), _TEXT),
        **dict.fromkeys(("first_year", "last_year"), _COUNT),
        **dict.fromkeys(("estimate", "ci_low", "ci_high", "p_value"), _REAL),
        "family": _TEXT,
        "family_size": _COUNT,
        "p_value_family": _REAL,
        "is_found": _FLAG,
        **dict.fromkeys(("minimum_detectable_effect", "minimum_detectable_family"), _REAL),
        **dict.fromkeys(("n_cities", "n_pilots", "n_blocks"), _COUNT),
        "reason": _TEXT,
    },
    "policy": {
        **dict.fromkeys(("spec_id", "policy", "outcome", "comparison", "unit"), _TEXT),
        **dict.fromkeys(("first_year", "last_year"), _COUNT),
        **dict.fromkeys(("before", "after", "without_admission"), _REAL),
        **dict.fromkeys(("estimate", "ci_low", "ci_high", "p_value"), _REAL),
        "family": _TEXT,
        "family_size": _COUNT,
        "p_value_family": _REAL,
        "is_found": _FLAG,
        **dict.fromkeys(("minimum_detectable_rise", "minimum_detectable_fall"), _REAL),
        **dict.fromkeys(("minimum_detectable_effect", "minimum_detectable_family"), _REAL),
        **dict.fromkeys(("p_value_selection", "p_value_placebo"), _REAL),
        **dict.fromkeys(("n_listed", "n_cities", "n_pilots", "n_movable"), _COUNT),
        **dict.fromkeys(("n_whole_province", "n_blocks", "n_verified"), _COUNT),
        "is_verified": _FLAG,
        **dict.fromkeys(("verdict", "reason"), _TEXT),
    },
    "policy_overlap": {
        **dict.fromkeys(("policy", "other"), _TEXT),
        **dict.fromkeys(("n_pilots", "n_units", "n_both"), _COUNT),
        "correlation": _REAL,
    },
    "channel": {
        **dict.fromkeys(("spec_id", "channel"), _TEXT),
        **dict.fromkeys(("estimate", "ci_low", "ci_high", "p_value", "p_value_bh"), _REAL),
        **dict.fromkeys(("truth", "planted"), _REAL),
        "reason": _TEXT,
    },
    "power": {
        "spec_id": _TEXT,
        "imposed": _TEXT,
        "effect_on_cm": _REAL,
        "share_found": _REAL,
        "draws": _COUNT,
    },
    "placebo": {
        **dict.fromkeys(("spec_id", "placebo", "name"), _TEXT),
        **dict.fromkeys(("first_year", "last_year"), _COUNT),
        **dict.fromkeys(("estimate", "ci_low", "ci_high", "p_value"), _REAL),
        **dict.fromkeys(("n_cities", "n_pilots"), _COUNT),
        "joint_p_value": _REAL,
    },
    "next_window": {
        **dict.fromkeys(("spec_id", "rule_name", "committed_on"), _TEXT),
        **dict.fromkeys(("first_year", "last_year"), _COUNT),
        **dict.fromkeys(("rule", "rule_sha256", "rule_sha256_until_2026_11_29"), _TEXT),
        **dict.fromkeys(("correlation_with_last", "share_of_level"), _REAL),
    },
    "city_period": {
        "spec_id": _TEXT,
        **dict.fromkeys(("stand_in", "province_id", "cohort_year"), _COUNT),
        **dict.fromkeys(("first_year", "last_year", "n_years"), _COUNT),
        "synchronization": _REAL,
    },
    "stood_out": {
        **dict.fromkeys(("source_table", "spec_id", "name"), _TEXT),
        **dict.fromkeys(("cohort_year", "event_time"), _COUNT),
        **dict.fromkeys(("series", "comparison"), _TEXT),
        **dict.fromkeys(("estimate", "ci_low", "ci_high", "p_value"), _REAL),
        "family": _TEXT,
        "family_size": _COUNT,
        "p_value_family": _REAL,
        "n_cities": _COUNT,
        **dict.fromkeys(("belief", "reason"), _TEXT),
    },
    "truth": {
        "spec_id": _TEXT,
        "term": _TEXT,
        "cohort_year": _COUNT,
        "event_time": _COUNT,
        "truth": _REAL,
        "planted": _REAL,
    },
    "coverage": {
        **dict.fromkeys(("scope", "quantity", "coefficients", "line"), _TEXT),
        **dict.fromkeys(("n", "n_yes"), _COUNT),
        **dict.fromkeys(("share", "monte_carlo_error"), _REAL),
        "measured_with": _TEXT,
    },
    "claim": {
        **dict.fromkeys(
            ("claim_id", "claim_en", "claim_zh", "study_finding", "spec_id_study_form"), _TEXT
        ),
        **dict.fromkeys(("estimate_study_form", "p_value_study_form"), _REAL),
        **dict.fromkeys(("verdict_study_form", "spec_id"), _TEXT),
        **dict.fromkeys(
            ("estimate", "ci_low", "ci_high", "p_value", "minimum_detectable_effect"), _REAL
        ),
        "family": _TEXT,
        "family_size": _COUNT,
        **dict.fromkeys(("verdict", "reason"), _TEXT),
    },
}


def not_run(specs: Sequence[Spec], reason: str) -> list[dict[str, str]]:
    """Return rows of ``not_run`` for specs that share a reason."""
    return [
        {"spec_id": spec.spec_id, "analysis": spec.analysis, "reason": reason} for spec in specs
    ]


def typed(rows: list[dict[str, Any]], columns: dict[str, str]) -> pd.DataFrame:
    """Return rows as a frame with the contract's columns and nullable types, so that nothing
    missing becomes NaN; a number that is not finite is missing.

    Raises
    ------
    KeyError
        A row lacks a column.
    """
    for row in rows:
        lacking = sorted(columns.keys() - row)
        if lacking:
            raise KeyError(f"expected every column; {', '.join(lacking)} lacks in {row}")
    frame = pd.DataFrame(rows, columns=list(columns)).astype(columns)
    reals = [name for name, kind in columns.items() if kind == _REAL]
    return frame.assign(**frame[reals].replace([np.inf, -np.inf], pd.NA))
