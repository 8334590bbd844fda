"""List every row whose p is below 5 % before any correction, with its family and whether it counts
as found: one rule for all tables (docs/methods, section 8.8).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ..analyses.own_outcomes import ALL, OUTCOMES
from ..analyses.specification_curve import ANALYSIS as CURVE
from ..defaults import LEVEL

ZONES, NET = "pilot_zones", "net_of_others"
FAMILY_OF_SERIES, FAMILY_OF_CHANNELS = "growth_and_cycle", "channels"
FOUND, DOUBTED, NOT_FOUND, NO_TEST = "found", "doubted", "not_found", "no_test"
# p of the same test on years before any zone, in `diagnostic`.
PLACEBO = "placebo_before_p"
DOUBTED_OUTCOMES = {(one.name, compared) for one in OUTCOMES for compared in one.doubted}
# Tables of results, and the column that names a row of it.
NAMES = {
    "primary": "outcome",
    "channel": "channel",
    "check": "name",
    "placebo": "name",
    "estimate": "term",
    "own_outcome": "outcome",
    "policy": "policy",
    "weight": "name",
}


def stood_out_rows(frames: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Return rows of ``estimates.stood_out``.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        Tables of ``estimates`` by name; of ``estimate`` only default methods count, without the
        specification curve, whose rows are tested jointly (``curve_test``).

    Returns
    -------
    list of dict
        What is found first, then by p. ``belief`` is ``found`` where the p corrected within the
        family is below 5 %; ``doubted`` where it is, and the same test on years before any zone has
        a p below 5 %, too, or rejects too often in pseudo-admissions that follow size;
        ``not_found`` where it is not; and ``no_test`` of rows that decide nothing by themselves:
        placebos, checks, variants, single years of a curve.
    """
    rows = []
    for table in (name for name in NAMES if name in frames):
        frame = frames[table]
        if table == "estimate":
            frame = frame[frame["is_default"].fillna(False) & frame["analysis"].ne(CURVE)]
        if table == "policy":
            # those of the zones are in `primary`, but for the one net of other policies
            frame = frame[frame["policy"].ne(ZONES) | frame["comparison"].eq(NET)]
        cells = frame.astype(object).where(frame.notna(), None)
        for record in cells[frame["p_value"].lt(LEVEL).fillna(False)].to_dict("records"):
            rows.append(_row(table, record, frames))
    order = (FOUND, DOUBTED, NOT_FOUND, NO_TEST)
    return sorted(
        rows, key=lambda row: (order.index(row["belief"]), row["p_value"], row["spec_id"])
    )


def _row(
    table: str, record: Mapping[str, Any], frames: Mapping[str, pd.DataFrame]
) -> dict[str, Any]:
    family, size, corrected = _family(table, record, frames)
    if table in ("check", "placebo") or corrected is None:
        belief = NO_TEST
        reason = _why_no_test(table, record, frames)
    elif corrected < LEVEL:
        belief = FOUND
        reason = f"Corrected for the {size} tests of its family, p is below 5 %."
        before = _placebo(record, frames) if table == "estimate" else None
        if before is not None and before < LEVEL:
            belief = DOUBTED
            reason += f" But the same test on years before any zone has p {before:.3f}."
        if _is_doubted(table, record):
            belief = DOUBTED
            reason += " But without any effect it rejects too often where admissions follow size."
    else:
        belief = NOT_FOUND
        reason = f"Corrected for the {size} tests of its family, p is not below 5 %."
    return {
        "source_table": table,
        "spec_id": record["spec_id"],
        "name": record[NAMES[table]],
        "cohort_year": record.get("cohort_year"),
        "event_time": record.get("event_time"),
        "series": record.get("series"),
        "comparison": record.get("comparison"),
        "n_cities": record.get("n_cities"),
        **{name: record.get(name) for name in ("estimate", "ci_low", "ci_high", "p_value")},
        "family": family,
        "family_size": size,
        "p_value_family": corrected,
        "belief": belief,
        "reason": reason,
    }


def _is_doubted(table: str, record: Mapping[str, Any]) -> bool:
    """Return whether an own outcome is one whose test rejects too often without an effect."""
    if table == "own_outcome":
        return (record["outcome"], record["comparison"]) in DOUBTED_OUTCOMES
    # the own outcomes of a policy are compared with all cities of the province
    return table == "policy" and (record["outcome"], ALL) in DOUBTED_OUTCOMES


def _placebo(record: Mapping[str, Any], frames: Mapping[str, pd.DataFrame]) -> float | None:
    """Return the p of a row's own placebo in years before any zone; None where it has none."""
    rows = frames["diagnostic"]
    own = rows[
        rows["spec_id"].eq(record["spec_id"])
        & rows["diagnostic"].eq(PLACEBO)
        & rows["term"].eq(record["term"])
    ]
    known = own["value"].dropna()
    return None if known.empty else float(known.iloc[0])


def _family(
    table: str, record: Mapping[str, Any], frames: Mapping[str, pd.DataFrame]
) -> tuple[str | None, int | None, float | None]:
    """Return the family of a row, its size and the corrected p; None three times without one."""
    if table in ("primary", "check"):
        return FAMILY_OF_SERIES, 2, record["p_value_family"]
    if table == "channel":
        return FAMILY_OF_CHANNELS, int(frames[table]["p_value"].count()), record["p_value_bh"]
    if record.get("p_value_family") is None:
        return None, None, None
    return record["family"], int(record["family_size"]), record["p_value_family"]


def _why_no_test(table: str, record: Mapping[str, Any], frames: Mapping[str, pd.DataFrame]) -> str:
    """Return why a row decides nothing by itself."""
    if table in ("check", "placebo"):
        own = frames[table]
        if table == "check":
            # the headline stands among its checks, and a drift has no p
            own = own[own["check"].ne("headline")]
        n, below = int(own["p_value"].count()), int(own["p_value"].lt(LEVEL).sum())
        if table == "check":
            return (
                f"A check beside the main test, which decides: of {n} such rows {below} are below "
                f"5 %, where chance gives {LEVEL * n:.1f}."
            )
        reason = "A placebo, where nothing can have happened: a small p speaks against the design."
        if record["placebo"] == "space":
            reason = (
                "A placebo among cities without a zone, on which one nearby may act: a small p "
                "speaks against the design or for such an effect."
            )
        reason += f" Of {n} such rows {below} are below 5 %, where chance gives {LEVEL * n:.1f}."
        return reason
    if record.get("event_time") is not None:
        return "One year of a curve, which is read as a whole."
    if str(record[NAMES[table]]).endswith(":unknown"):
        return "Pairs whose class is not known, which is no class of the question."
    return "A variant beside the main test, which decides: its p is not corrected."
