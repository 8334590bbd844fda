"""What a rule of a suite is: one expectation on one data set, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["warn", "stop"]


@dataclass(frozen=True)
class Rule:
    """One expectation.

    Parameters
    ----------
    check_id : name of the rule, unique in its stage; the key of the seed `check_severity`.
    dataset : name of the data frame it checks.
    expectation : snake_case name in Great Expectations' registry, e.g.
    `expect_column_values_to_be_between`.
    severity : `warn` is shown, `stop` blocks the run. The seed may override it.
    why : what it means for a reader when the rule fails, and what to do.
    kwargs : arguments of the expectation.
    """

    check_id: str
    dataset: str
    expectation: str
    severity: Severity
    why: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)


def between(
    check_id: str,
    dataset: str,
    column: str,
    low: float | None,
    high: float | None,
    severity: Severity,
    why: str,
    mostly: float = 1.0,
) -> Rule:
    """Values of a column lie in [low, high] in at least the share `mostly` of its non-null rows."""
    kwargs = {"column": column, "min_value": low, "max_value": high, "mostly": mostly}
    return Rule(check_id, dataset, "expect_column_values_to_be_between", severity, why, kwargs)


def not_null(check_id: str, dataset: str, column: str, severity: Severity, why: str) -> Rule:
    """A column is filled in every row."""
    kwargs = {"column": column}
    return Rule(check_id, dataset, "expect_column_values_to_not_be_null", severity, why, kwargs)


def one_of(
    check_id: str, dataset: str, column: str, words: list[str], severity: Severity, why: str
) -> Rule:
    """A column holds only the given words."""
    return Rule(
        check_id,
        dataset,
        "expect_column_values_to_be_in_set",
        severity,
        why,
        {"column": column, "value_set": words},
    )


def ordered(
    check_id: str, dataset: str, larger: str, smaller: str, severity: Severity, why: str
) -> Rule:
    """Column `larger` is at least column `smaller` where both are filled."""
    kwargs = {
        "column_A": larger,
        "column_B": smaller,
        "or_equal": True,
        "ignore_row_if": "either_value_is_missing",
    }
    return Rule(
        check_id, dataset, "expect_column_pair_values_a_to_be_greater_than_b", severity, why, kwargs
    )


# Data set that the gates after the marts and after the estimates make of every table there: one row
# per column of floating-point numbers, with how many of its values are infinite or no number.
NOT_FINITE = "not_finite"


def all_finite(check_id: str, why: str) -> Rule:
    """No derived value is infinite or no number; such a value would end in an error of the code
    that reads it.
    """
    return between(check_id, NOT_FINITE, "n_not_finite", 0, 0, "stop", why)


def has_rows(check_id: str, dataset: str, severity: Severity, why: str) -> Rule:
    """A data set is not empty."""
    return Rule(
        check_id, dataset, "expect_table_row_count_to_be_between", severity, why, {"min_value": 1}
    )
