"""Compute how far the primary test's estimate moved since the last publication, in the unit of
docs/methods, section 14: the standard deviation of that move over admissions reassigned at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..analyses.primary import NEWEST, STUDY_WINDOW, cycle_id
from ..analyses.spec import SampleError, Spec
from ..defaults import DRAWS_OF_CHECKS
from ..sample.marts import Marts
from .windows import Window, city_window, joint_draws, less_trend

COLUMNS = {
    "spec_id": "str",
    **dict.fromkeys(("old_last_year", "last_year"), "Int64"),
    **dict.fromkeys(("old_estimate", "estimate", "change"), "Float64"),
    **dict.fromkeys(("deviation", "change_in_deviations"), "Float64"),
    "reason": "str",
}
NO_DRAWS = "The cities that both windows have in common give no estimate."


def movement_rows(
    before: Marts, now: Marts, specs: Sequence[Spec], old: pd.DataFrame, new: pd.DataFrame
) -> pd.DataFrame:
    """Return rows of ``meta.movement``: growth and its cycle in the newest and in the study window.

    Parameters
    ----------
    before, now : Marts
        Of the publication before and of this run.
    specs : sequence of Spec
        Declared tests of the primary analysis.
    old, new : DataFrame
        ``estimates.primary`` of both.

    Returns
    -------
    DataFrame
        `deviation` is the standard deviation of `change` over draws, each of which permutes the
        admissions of both windows alike; None with a `reason` where a window cannot be built.
    """
    rows = []
    old_rows, new_rows = old.set_index("spec_id"), new.set_index("spec_id")
    for spec in specs:
        ids = (spec.spec_id, cycle_id(spec.spec_id))
        is_meant = spec.variant in (NEWEST, STUDY_WINDOW)
        if not is_meant or ids[0] not in old_rows.index or ids[0] not in new_rows.index:
            continue
        deviations, reason = _deviations(before, now, spec)
        for spec_id, deviation in zip(ids, deviations, strict=True):
            if spec_id in old_rows.index and spec_id in new_rows.index:
                row = _row(spec_id, old_rows.loc[spec_id], new_rows.loc[spec_id], deviation)
                rows.append({**row, "reason": reason})
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _row(spec_id: str, old: Any, new: Any, deviation: float | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "spec_id": spec_id,
        "old_last_year": old["last_year"],
        "last_year": new["last_year"],
        "old_estimate": old["estimate"],
        "estimate": new["estimate"],
    }
    if pd.isna(old["estimate"]) or pd.isna(new["estimate"]):
        return row
    row["change"] = new["estimate"] - old["estimate"]
    row["deviation"] = deviation
    # data that did not change move nothing under any permutation
    if deviation is not None and deviation > 0:
        row["change_in_deviations"] = row["change"] / deviation
    return row


def _deviations(before: Marts, now: Marts, spec: Spec) -> tuple[list[float | None], str]:
    """Return standard deviations of the move of growth and of its cycle, or why there are none."""
    try:
        windows = [city_window(before, spec), city_window(now, spec)]
    except SampleError as error:
        return [None, None], f"Not computed: {error}."
    detrended = [less_trend(one) for one in windows]
    found = [_deviation(series, spec.seed) for series in (windows, detrended)]
    reason = NO_DRAWS if found[0] is None else ""
    return found, reason


def _deviation(windows: list[Window], seed: int) -> float | None:
    draws = joint_draws(windows, permutations=DRAWS_OF_CHECKS, seed=seed)
    if draws is None:
        return None
    earlier, later = draws
    # the first draw is the admissions as they were
    return float(np.std(later.estimate[1:] - earlier.estimate[1:], ddof=1))
