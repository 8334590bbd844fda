"""Sentences on sensitivity to trends: sets and breakdown values as given, plain words at their limits, silence without them."""

import pandas as pd
import pytest

from estimation.report.data import ReportData
from estimation.report.findings import sensitivity

SPEC = "dynamics.cm_growth_official.headline"
VALUES = {
    "breakdown_relative_magnitudes": 1.617,
    "breakdown_smoothness": 0.03,
    "honest_relative_magnitudes_low_1": 0.066,
    "honest_relative_magnitudes_high_1": 0.319,
    "honest_smoothness_low_0_se": 0.131,
    "honest_smoothness_high_0_se": 0.216,
}


def _said(**changes: float | None) -> str:
    values = {name: changes.get(name, value) for name, value in VALUES.items()}
    rows = [(SPEC, name, "event[0]", value) for name, value in values.items()]
    return sensitivity(ReportData({"diagnostic": pd.DataFrame(rows, columns=["spec_id", "diagnostic", "term", "value"])}), SPEC)


def test_sets_and_breakdown_values_are_said() -> None:
    said = _said()
    for number in ("+0.066 to +0.319", "+0.131 to +0.216", "1.62 times the largest", "0.030 of slope"):
        assert number in said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"breakdown_relative_magnitudes": 0.0, "breakdown_smoothness": 0.0}, "Both breakdown values are 0"),
        ({"breakdown_relative_magnitudes": None}, "Breakdown values: beyond every multiple tried; 0.030 of slope"),
    ],
)
def test_words_for_none_and_for_no_limit(changes: dict, words: str) -> None:
    assert words in _said(**changes)


def test_nothing_is_said_without_a_set() -> None:
    assert _said(honest_smoothness_low_0_se=None) == ""
