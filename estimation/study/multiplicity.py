"""What is found: the one rule, and the families of tests that are corrected together
(docs/methods, sections 8.8 and 12.2).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..inference.multiple_testing import benjamini_hochberg
from ..primary.redeal import LEVEL


def family_of(spec_id: str, term: str) -> str | None:
    """Name of the family of a coefficient, None where it belongs to none; a family never mixes
    outcomes.

    Heterogeneity: the effects by class, and the differences together with the slopes over gaps;
    those with year effects by class apart. Policy tools: single tools, tool classes alone, and the
    joint fit with its differences. Radiation: the rings around a pilot and the ties to one.
    """
    analysis, _, variant = spec_id.split(".")
    if analysis == "radiation":
        return "exposures" if term == "exposed" else None
    if analysis not in ("heterogeneity", "policy_tools") or term.endswith(":unknown"):
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


def is_found(p_value_family: pd.Series) -> pd.Series:
    """The rule of every page and table: p below 5 %, corrected within its family; missing where
    there is no p.
    """
    return (p_value_family.astype("Float64") < LEVEL).astype("boolean")


def judge_estimates(estimate: pd.DataFrame) -> pd.DataFrame:
    """The estimates with what is found among them; the default line alone judges.

    Parameters
    ----------
    estimate : DataFrame
        Of ``estimates.estimate`` at least spec_id, analysis, outcome, term, is_default, p_value.

    Returns
    -------
    DataFrame
        With ``family`` and ``family_size`` (missing where a coefficient belongs to none),
        ``p_value_family`` (corrected by Benjamini and Hochberg within the family, else as it is)
        and ``is_found``; missing in lines that are no default.
    """
    default = estimate["is_default"].fillna(False).to_numpy(dtype=bool)
    family = pd.array(
        [
            family_of(spec_id, term) if is_default else None
            for spec_id, term, is_default in zip(
                estimate["spec_id"], estimate["term"], default, strict=True
            )
        ],
        dtype="str",
    )
    p_value = estimate["p_value"].to_numpy(dtype=float, na_value=np.nan)
    corrected = np.where(default, p_value, np.nan)
    size = pd.array([None] * len(estimate), dtype="Int64")
    keys = estimate[["analysis", "outcome"]].assign(family=family).reset_index(drop=True)
    for members in keys.dropna(subset=["family"]).groupby(list(keys)).groups.values():
        rows = members.to_numpy()
        corrected[rows] = benjamini_hochberg(p_value[rows])
        size[rows] = len(rows)
    found = pd.Series(corrected, index=estimate.index).astype("Float64")
    return estimate.assign(
        family=family, family_size=size, p_value_family=found, is_found=is_found(found)
    )
