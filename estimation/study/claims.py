"""Compare each claim of the study in the study's own form with honest inference, and give a verdict
on both. Pure; no fit is made here.

Rules and words: docs/methods, section 12.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from ..defaults import LEVEL
from ..inference.variances import MIN_PILOTS
from ..sample.moderators import MAX_EXPLAINED, SAME_REGRESSOR
from .stood_out import FAMILY_OF_SERIES
from .tables import COLUMNS, typed

# Smallest effect found in 80 % of cases over its standard error where no degrees of freedom are
# known: 1.96 + 0.84.
ERRORS_TO_FIND = 2.8
# Verdict on the study's form where the study has no regression that asks the claim's question.
NONE_GIVEN = "study_gives_none"
SIGNS = {"positive": 1.0, "negative": -1.0}
# What `not_run` says where a regression was tried and the sample does not identify its coefficient.
NOTHING_IDENTIFIES = ("not identified", "identifies no")
EXPLAINED = "strength_r2_on_cohort_and_year"


@dataclass(frozen=True)
class Found:
    """A coefficient with the inference method that decides on it. None where there is no figure.

    Attributes
    ----------
    estimate, ci_low, ci_high, p_value, smallest : float or None
        `smallest` is the minimum detectable effect (80 % power at 5 %), in units of the
        coefficient.
    line : str
        Which inference the p is of, in words.
    lacks : str or None
        ``not_run``, ``not_identified`` or ``study_gives_none`` where there is no p to decide by.
    reason : str
        Why it lacks.
    family, family_size
        The tests that p is corrected for, and their number; None where it is not corrected.
    """

    estimate: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    p_value: float | None = None
    smallest: float | None = None
    line: str = ""
    lacks: str | None = None
    reason: str = ""
    family: str | None = None
    family_size: float | None = None


def build_claims(claims: pd.DataFrame, tables: SimpleNamespace) -> pd.DataFrame:
    """Put a verdict on each claim.

    Parameters
    ----------
    claims : DataFrame
        ``marts.dim_study_claim``, one row per claim: claim_id, claim_en, claim_zh, study_finding,
        expected_direction (positive, negative or any), spec_id_study_form, term_study_form,
        spec_id, term, uses_primary, smallest_effect (units of the coefficient; missing: the size of
        the study's form).
    tables : SimpleNamespace
        Frames `estimate`, `diagnostic`, `not_run` and `primary`, as `run_study` gives them.

    Returns
    -------
    DataFrame
        ``estimates.claim``, in the order of the claims.
    """
    return typed([_claim(row, tables) for row in claims.to_dict("records")], COLUMNS["claim"])


def _claim(claim: dict[str, Any], tables: SimpleNamespace) -> dict[str, Any]:
    if pd.isna(claim["spec_id_study_form"]):
        form = Found(lacks=NONE_GIVEN)
    else:
        form = find_coefficient(
            tables, claim["spec_id_study_form"], claim["term_study_form"], "conventional"
        )
    if claim["uses_primary"]:
        ours = find_primary(tables, claim["spec_id"])
    else:
        ours = find_coefficient(tables, claim["spec_id"], claim["term"], least_pilots=MIN_PILOTS)
    size, of_what = _size_sought(claim, form)
    verdict, reason = claim_verdict(ours, claim["expected_direction"], size, of_what)
    reason += _one_with(tables.diagnostic, claim["spec_id"])
    is_tested = ours.lacks is None
    return {
        **{
            name: claim[name]
            for name in (
                "claim_id",
                "claim_en",
                "claim_zh",
                "study_finding",
                "spec_id_study_form",
                "spec_id",
            )
        },
        "estimate_study_form": form.estimate,
        "p_value_study_form": form.p_value,
        "verdict_study_form": study_form_verdict(form, claim["expected_direction"]),
        "estimate": ours.estimate,
        **{
            name: getattr(ours, name) if is_tested else None
            for name in ("ci_low", "ci_high", "p_value", "family", "family_size")
        },
        "minimum_detectable_effect": ours.smallest if is_tested else None,
        "verdict": verdict,
        "reason": reason,
    }


def find_coefficient(
    tables: SimpleNamespace, spec_id: str, term: str, line: str | None = None, least_pilots: int = 1
) -> Found:
    """Return a coefficient under an inference method, or why it cannot be tested.

    Without a line it is the default one, with the p that is corrected within its family
    (`multiplicity.correct_within_families`); without a family its own.
    """
    rows = tables.estimate[
        (tables.estimate["spec_id"] == spec_id) & (tables.estimate["term"] == term)
    ]
    if rows.empty:
        return _absent(tables, spec_id, term)
    is_default = rows["is_default"].fillna(False).astype(bool)
    chosen = pd.concat([rows[rows["vcov"] == line], rows[is_default], rows]).iloc[0]
    size = None if line else _number(chosen["family_size"])
    p_value = "p_value_family" if size else "p_value"
    numbers = [_number(chosen[name]) for name in ("estimate", "ci_low", "ci_high", p_value)]
    corrected = f", corrected for {size:.0f} tests" if size else ""
    reason = _not_identified(tables.diagnostic, chosen, least_pilots)
    lacks = "not_identified" if reason else None
    return Found(
        *numbers,
        _smallest(tables.diagnostic, rows, spec_id, term),
        str(chosen["vcov"]).replace("_", " ") + corrected,
        lacks,
        reason,
        _text(chosen["family"]),
        size,
    )


def _not_identified(diagnostic: pd.DataFrame, row: pd.Series, least_pilots: int) -> str:
    """Return why nothing identifies a coefficient that was estimated, or no p of it is printed;
    empty where something does.
    """
    withheld = row.get("p_value_withheld_reason")
    if isinstance(withheld, str) and withheld:
        return withheld
    # of a strength: the share that cohort and year explain
    explained = _number(_diagnostics(diagnostic, row["spec_id"], EXPLAINED)["value"].max())
    pilots = _number(row["n_pilots"])
    if explained is not None and explained > MAX_EXPLAINED:
        return (
            f"cohort and year explain {explained:.1%} of the strength among pilots: the texts "
            "hardly tell the tool from admission"
        )
    if pilots is not None and pilots < least_pilots:
        return (
            f"{pilots:.0f} pilots are behind the coefficient, at least {least_pilots} are needed "
            "for a verdict"
        )
    return (
        ""
        if _number(row["p_value"]) is not None
        else "no inference method gives a p for the coefficient"
    )


def _one_with(diagnostic: pd.DataFrame, spec_id: str) -> str:
    """Return the tools whose strength is the same regressor on the sample, as the end of a reason;
    empty where there are none.
    """
    rows = _diagnostics(diagnostic, spec_id, SAME_REGRESSOR)
    if rows.empty:
        return ""
    names = ", ".join(str(term).replace("_", " ") for term in rows["term"])
    return (
        f"; on these texts the tool is the very same regressor as {names}: one result under "
        "several names"
    )


def find_primary(tables: SimpleNamespace, spec_id: str) -> Found:
    """Return a row of ``estimates.primary``, or why there is none."""
    rows = tables.primary[tables.primary["spec_id"] == spec_id]
    if rows.empty:
        return _absent(tables, spec_id, None)
    row = rows.iloc[0]
    numbers = [
        _number(row[name])
        for name in ("estimate", "ci_low", "ci_high", "p_value_family", "minimum_detectable_effect")
    ]
    if numbers[3] is None:
        return Found(*numbers, lacks="not_identified", reason=str(row["reason"]))
    of_growth = tables.primary["spec_id"].str.replace("_cycle.", ".", regex=False)
    both = tables.primary.loc[of_growth == spec_id, "p_value_family"].count()
    return Found(*numbers, line="primary test", family=FAMILY_OF_SERIES, family_size=float(both))


def claim_verdict(ours: Found, direction: str, size: float | None, of_what: str) -> tuple[str, str]:
    """Return the verdict of the honest test in its fixed words, and why, with the smallest effect
    that would have been found.

    Parameters
    ----------
    ours : Found
    direction : str
        ``positive``, ``negative`` or ``any``.
    size : float or None
        The effect that should have been found.
    of_what : str
        What that size is, in words.
    """
    if ours.lacks is not None:
        return ours.lacks, ours.reason
    said = f"p = {ours.p_value:.3g} ({ours.line})"
    is_small = ours.p_value < LEVEL
    if is_small and _agrees(ours.estimate, direction):
        return (
            "found",
            (
                f"{said}, "
                f"{'the effects differ' if direction == 'any' else 'in the direction of the claim'}"
            ),
        )
    said += ", in the direction opposite to the claim" if is_small else ""
    if ours.smallest is None:
        return (
            "not_found_could_not_have_been",
            f"{said}; no size of effect is known that would have been found in 80 % of cases",
        )
    said += f"; an effect of {ours.smallest:.3g} or more would have been found in 80 % of cases"
    if size is None:
        return (
            "not_found_could_not_have_been",
            f"{said}; what size to look for is not known: {of_what}",
        )
    could = ours.smallest <= size
    said += f", which {'covers' if could else 'is more than'} {size:.3g}, {of_what}"
    return ("not_found_could_have_been" if could else "not_found_could_not_have_been"), said


def study_form_verdict(form: Found, direction: str) -> str:
    """Return whether the study's own form gives the study's finding on these data: same direction,
    and p below 5 % clustered by pair.
    """
    if form.lacks is not None:
        return form.lacks
    return (
        "reproduced"
        if form.p_value < LEVEL and _agrees(form.estimate, direction)
        else "not_reproduced"
    )


def _agrees(estimate: float, direction: str) -> bool:
    return direction == "any" or estimate * SIGNS[direction] > 0


def _size_sought(claim: dict[str, Any], form: Found) -> tuple[float | None, str]:
    given = _number(claim["smallest_effect"])
    if given is not None:
        is_correlation = claim["uses_primary"] or str(claim["spec_id"]).split(".")[1].startswith(
            ("cm_", "lead_")
        )
        return (
            given,
            "the size to look for in correlation units"
            if is_correlation
            else "the size to look for in units of the outcome",
        )
    if form.estimate is None:
        return None, "the study's form was not run"
    return abs(form.estimate), "the size of the study's form on these data, in units of the outcome"


def _absent(tables: SimpleNamespace, spec_id: str, term: str | None) -> Found:
    """Return why a coefficient has no row."""
    reasons = tables.not_run.loc[tables.not_run["spec_id"] == spec_id, "reason"]
    if len(reasons):
        reason = str(reasons.iloc[0])
        is_tried = any(words in reason for words in (*NOTHING_IDENTIFIES, "No verdict"))
        return Found(lacks="not_identified" if is_tried else "not_run", reason=reason)
    if term is not None and (tables.estimate["spec_id"] == spec_id).any():
        return Found(
            lacks="not_identified",
            reason=(
                f"the sample of {spec_id} has no coefficient {term}: a class without pilots or "
                "pairs"
            ),
        )
    return Found(
        lacks="not_run",
        reason=f"needs the specification {spec_id}, which this run did not estimate",
    )


def _smallest(
    diagnostic: pd.DataFrame, rows: pd.DataFrame, spec_id: str, term: str
) -> float | None:
    """Minimum detectable effect as the diagnostic has it; else 2.8 city errors; None where the
    coefficient has neither.
    """
    found = _diagnostics(diagnostic, spec_id, "minimum_detectable_effect")
    values = found.loc[found["term"] == term, "value"].dropna()
    if len(values):
        return _number(values.iloc[0])
    errors = rows.loc[rows["vcov"] == "city", "std_error"].dropna()
    return ERRORS_TO_FIND * float(errors.iloc[0]) if len(errors) else None


def _diagnostics(diagnostic: pd.DataFrame, spec_id: str, name: str) -> pd.DataFrame:
    """Return rows of a spec's diagnostic of this name."""
    return diagnostic[(diagnostic["spec_id"] == spec_id) & (diagnostic["diagnostic"] == name)]


def _text(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)


def _number(value: Any) -> float | None:
    return None if pd.isna(value) or not np.isfinite(float(value)) else float(value)
