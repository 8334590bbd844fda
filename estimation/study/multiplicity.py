"""Families of tests that are corrected together (docs/methods, section 8): heterogeneity and policy
tools.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..inference.multiple_testing import benjamini_hochberg

FAMILIES = ("heterogeneity", "policy_tools")


def family_of(spec_id: str, term: str) -> str | None:
    """Name of the family of a coefficient, None where it belongs to none; a family never mixes
    outcomes.

    Heterogeneity: the effects by class, and the differences together with the slopes over gaps;
    those with year effects by class apart. Policy tools: single tools, tool classes alone, and the
    joint fit with its differences.
    """
    analysis, _, variant = spec_id.split(".")
    if analysis not in FAMILIES or term.endswith(":unknown"):
        return None
    if analysis == "policy_tools":
        return (
            "joint_fit"
            if variant == "joint"
            else ("tool_classes" if variant in ("supply", "environment", "demand") else "tools")
        )
    if term == "treated":
        return None
    kind = "differences" if term.startswith("difference:") or term == "treated:gap" else "effects"
    return f"{kind}_own_years" if variant.endswith("_own_years") else kind


def adjusted_rows(estimate: pd.DataFrame) -> list[dict]:
    """Diagnostic rows ``p_value_bh`` (of the default line), ``p_value_bh_permutation`` and
    ``family_size_<family>``, by coefficient.

    Parameters
    ----------
    estimate : DataFrame
        ``estimates.estimate``.

    Returns
    -------
    list of dict
        spec_id, diagnostic, term, value.
    """
    lines = {
        "p_value_bh": estimate["is_default"].fillna(False).to_numpy(dtype=bool),
        "p_value_bh_permutation": estimate["vcov"] == "permutation",
    }
    rows = []
    for name, chosen in lines.items():
        table = estimate.loc[
            chosen & estimate["analysis"].isin(FAMILIES), ["spec_id", "outcome", "term", "p_value"]
        ]
        family = [
            family_of(spec_id, term)
            for spec_id, term in zip(table["spec_id"], table["term"], strict=True)
        ]
        table = table.assign(family=family).dropna(subset=["family"])
        analysis = table["spec_id"].str.split(".").str[0]
        for (_, _, label), members in table.groupby([analysis, "outcome", "family"], sort=True):
            adjusted = benjamini_hochberg(members["p_value"].to_numpy(dtype=float, na_value=np.nan))
            for spec_id, term, value in zip(
                members["spec_id"], members["term"], adjusted, strict=True
            ):
                rows.append({"spec_id": spec_id, "diagnostic": name, "term": term, "value": value})
                if name == "p_value_bh":
                    rows.append(
                        {
                            "spec_id": spec_id,
                            "diagnostic": f"family_size_{label}",
                            "term": term,
                            "value": len(members),
                        }
                    )
    return rows
