"""Quantities of which only the estimate is printed, and why, as data. The rule: docs/methods,
section 12.4; figures: docs/evidence.

One row a measure of pair outcomes: every spec of such an outcome keeps its estimates and loses its
errors, intervals and p values.
"""

from __future__ import annotations

_WHERE = "if pilots are larger, calmer cities or load on more factors, as the real ones may"
_MEASURED = "docs/evidence/simulation-study.md, 'Selection designs'"
REASON_BY_MEASURE = {
    "comove": (
        "Estimate alone: where nothing happened, tests of co-movement at 5 % reject in 16 to 87 "
        f"% of cases {_WHERE} ({_MEASURED})."
    ),
    "dispersion": (
        "Estimate alone: where nothing happened, tests of dispersion at 5 % reject in 16 to 30 % "
        f"of cases {_WHERE} ({_MEASURED})."
    ),
}


def why_no_p(outcome: str) -> str | None:
    """Return why the study prints no p of an outcome such as ``comove_growth_official``; None where
    it prints one.
    """
    return REASON_BY_MEASURE.get(outcome.partition("_")[0])
