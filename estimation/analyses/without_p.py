"""Quantities of which only the estimate is printed, and why, as data. The rule: docs/methods, section 12.4; figures: docs/evidence.

One row a measure of pair outcomes: every spec of such an outcome keeps its estimates and loses its errors, intervals and p values.
"""

from __future__ import annotations

_MEASURED = "docs/evidence/simulation-study.md, 'Selection designs'"
REASON_BY_MEASURE = {
    "comove": (
        "Estimate alone: without any effect the tests of co-movement reject far more than 5 % where pilots are larger cities, "
        f"as the real ones are ({_MEASURED})."
    ),
    "dispersion": (
        "Estimate alone: without any effect the tests of dispersion reject far more than 5 % where pilots are larger cities, "
        f"as the real ones are ({_MEASURED})."
    ),
}


def why_no_p(outcome: str) -> str | None:
    """Why the study prints no p of an outcome such as ``comove_growth_official``; None where it prints one."""
    return REASON_BY_MEASURE.get(outcome.partition("_")[0])
