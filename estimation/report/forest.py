"""Forests: coefficients as rows of a table with a bar on one scale, an axis on top, both intervals,
p and N beside; and the one rule by which a row counts as found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..defaults import LEVEL
from .cells import Row, number
from .plots import FAINT_BELOW_PILOTS, Axis, build_axis


@dataclass
class Forest:
    """Rows on one scale.

    Attributes
    ----------
    rows : list of dict
        ``row`` (the cells), ``label``, ``kind`` (what filters it), and positions in per cent of the
        picture's width.
    ticks : list of (position, text)
    zero : position of zero
    """

    rows: list[dict[str, Any]]
    ticks: list[tuple[float, str]]
    zero: float
    name: str = ""
    unit: str = ""
    title: str = ""


def is_found(row: Row) -> bool:
    """Return the rule of every bold row, title and count: the p that is corrected within its family
    is below 5 %. A row of no family has none, and is not found.
    """
    return is_below(row.get("p_value_family"))


def is_below(p_value: Any) -> bool:
    """Return whether there is a p, and it is below 5 %."""
    return number(p_value) is not None and p_value < LEVEL


def build_forest(
    labelled: Sequence[tuple[str, str, Row]],
    *,
    name: str = "",
    unit: str = "",
    title: Callable[[list[dict[str, Any]]], str] = lambda rows: "",
) -> Forest | None:
    """Set rows on one scale.

    Parameters
    ----------
    labelled : sequence of (label, kind, row)
        Rows with ``estimate, ci_low, ci_high`` and, where they have them, ``low_permutation,
        high_permutation, truth``.
    name, unit : what the axis measures
    title : what the rows say

    Returns
    -------
    Forest or None
        None without rows. The scale holds every estimate and truth and the intervals but the
        widest; those end in an arrow.
    """
    labelled = [item for item in labelled if number(item[2]["estimate"]) is not None]
    if not labelled:
        return None
    must, ends = [], []
    for _, _, row in labelled:
        must += [number(row.get("estimate")), number(row.get("truth"))]
        ends += [number(row.get("ci_low")), number(row.get("ci_high"))]
    axis = build_axis(
        [value for value in must if value is not None], [end for end in ends if end is not None]
    )
    rows = [_row(label, kind, row, axis) for label, kind, row in labelled]
    ticks = [(axis.at(tick), text) for tick, text in axis.ticks]
    return Forest(rows, ticks, axis.at(0.0), name, unit, title(rows))


def _row(label: str, kind: str, row: Row, axis: Axis) -> dict[str, Any]:
    def bar(low_name: str, high_name: str) -> dict[str, Any] | None:
        low, high = number(row.get(low_name)), number(row.get(high_name))
        if low is None or high is None:
            return None
        left, right = not axis.holds(low), not axis.holds(high)
        # an end beyond the scale lies outside of the picture
        start, end = -9.0 if left else axis.at(low), 109.0 if right else axis.at(high)
        return {
            "from": start,
            "to": end,
            "width": round(end - start, 2),
            "left": left,
            "right": right,
        }

    pilots, truth = number(row.get("n_pilots")), number(row.get("truth"))
    return {
        "row": row,
        "label": label,
        "kind": kind,
        "x": axis.at(float(row["estimate"])),
        "bar": bar("ci_low", "ci_high"),
        "thin": bar("low_permutation", "high_permutation"),
        "truth": None if truth is None else axis.at(truth),
        "few": pilots is not None and pilots < FAINT_BELOW_PILOTS,
        "rejects": is_found(row),
    }
