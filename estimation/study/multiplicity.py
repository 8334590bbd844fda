"""The one rule for what counts as found, and the families of tests that are corrected together
(docs/methods, sections 8.8 and 12.2).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..analyses.mechanisms import DOSES
from ..defaults import LEVEL
from ..inference.multiple_testing import holm

# Families over all outcomes of their analysis; the others hold one outcome.
ALL_OUTCOMES = ("mechanisms", "radiation")


def family_of(spec_id: str, term: str) -> str | None:
    """Return the name of the family of a coefficient, None where it belongs to none.

    Heterogeneity: the effects by class, and the differences together with the slopes over gaps;
    those with year effects by class apart. Policy tools: single tools, tool classes alone, and the
    joint fit with its differences. Mechanisms and radiation: each a family of all its outcomes.
    """
    analysis, _, variant = spec_id.split(".")
    if analysis == "radiation":
        return "radiation"
    if analysis == "mechanisms":
        has_dose = variant.removeprefix("by_") in DOSES
        # beside a dose it is the effect at the mean dose, which is no mechanism
        return None if has_dose and term == "treated" else "mechanisms"
    if term.endswith(":unknown"):
        return None
    if analysis == "policy_tools":
        return _family_of_tools(variant)
    if analysis != "heterogeneity" or term == "treated":
        return None
    is_difference = term.startswith("difference:") or term == "treated:gap"
    kind = "differences" if is_difference else "effects"
    return f"{kind}_own_years" if variant.endswith("_own_years") else kind


def _family_of_tools(variant: str) -> str:
    if variant == "joint":
        return "joint_fit"
    if variant in ("supply", "environment", "demand"):
        return "tool_classes"
    return "tools"


def is_found(p_value_family: pd.Series) -> pd.Series:
    """Return the rule of every page and table: p below 5 %, corrected within its family; missing
    where there is no such p.
    """
    return (p_value_family.astype("Float64") < LEVEL).astype("boolean")


def correct_within_families(estimate: pd.DataFrame) -> pd.DataFrame:
    """Return the estimates with what is found among them; the default method alone decides.

    Parameters
    ----------
    estimate : DataFrame
        Of ``estimates.estimate`` at least spec_id, analysis, outcome, term, is_default, p_value.

    Returns
    -------
    DataFrame
        With ``family``, ``family_size`` (tests with a p), ``p_value_family`` (corrected by Holm's
        step-down) and ``is_found``. All four are missing in lines that are no default, without a
        p, and where a coefficient belongs to no family: its p is not corrected and finds nothing.
    """
    p_value = estimate["p_value"].to_numpy(dtype=float, na_value=np.nan)
    is_default = estimate["is_default"].fillna(False).to_numpy(dtype=bool)
    family = np.full(len(estimate), None, dtype=object)
    for place in np.flatnonzero(is_default & np.isfinite(p_value)):
        family[place] = family_of(estimate["spec_id"].iloc[place], estimate["term"].iloc[place])
    keys = estimate[["analysis", "outcome"]].assign(family=family).reset_index(drop=True)
    keys.loc[keys["family"].isin(ALL_OUTCOMES), "outcome"] = ""
    corrected = np.full(len(estimate), np.nan)
    size = pd.array([None] * len(estimate), dtype="Int64")
    for members in keys.dropna(subset=["family"]).groupby(list(keys)).groups.values():
        rows = members.to_numpy()
        corrected[rows] = holm(p_value[rows])
        size[rows] = len(rows)
    found = pd.Series(corrected, index=estimate.index).astype("Float64")
    return estimate.assign(
        family=pd.array(family, dtype="str"),
        family_size=size,
        p_value_family=found,
        is_found=is_found(found),
    )
