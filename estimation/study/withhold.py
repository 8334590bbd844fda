"""Take errors, intervals and p values from results of outcomes whose tests do not hold their size;
the estimates stay.
"""

from __future__ import annotations

import dataclasses

from ..analyses.without_p import why_no_p
from ..results import FitResult

# what a row of `estimates.estimate` loses
INFERENCE = ("std_error", "ci_low", "ci_high", "p_value", "draws")
# diagnostics that are a p, an error, an interval or made of one, by the start of their name
OF_INFERENCE = (
    "breakdown_",
    "conventional_t",
    "honest_",
    "joint_",
    "minimum_detectable_effect",
    "p_value",
    "permutation_quantile_",
    "placebo_rank",
)


def withhold(result: FitResult, outcome: str) -> FitResult:
    """Return the result as the study prints it.

    Parameters
    ----------
    result : FitResult
    outcome : str
        Of the study, such as ``comove_growth_official``.

    Returns
    -------
    FitResult
        The same where the outcome's tests hold their size. Else without inference, and without
        diagnostics and warnings about it; the reason is its only warning.
    """
    reason = why_no_p(outcome)
    if reason is None:
        return result
    estimates = tuple(
        dataclasses.replace(estimate, **dict.fromkeys(INFERENCE)) for estimate in result.estimates
    )
    diagnostics = tuple(
        row
        for row in result.diagnostics
        if not row[0].startswith(OF_INFERENCE) and not row[0].endswith("_variance")
    )
    return dataclasses.replace(
        result, estimates=estimates, diagnostics=diagnostics, warnings=(reason,)
    )
