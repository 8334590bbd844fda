"""Forests: coefficients as rows of a table with a bar on one scale, an axis on top, both intervals,
p and N beside.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .cells import Row, number

WIDTH, MARGIN = 300.0, 10.0
FEW_PILOTS = 4
TICKS = 5


@dataclass
class Forest:
    """Rows on one scale.

    Attributes
    ----------
    rows : list of dict
        ``row`` (the cells), ``label``, ``kind`` (what filters it), and positions in units of the
        picture.
    ticks : list of (position, text)
    zero : position of zero
    """

    rows: list[dict[str, Any]]
    ticks: list[tuple[float, str]]
    zero: float
    has_truth: bool = False
    has_thin: bool = True
    name: str = ""
    unit: str = ""
    title: str = ""


def is_found(row: Row) -> bool:
    """What the tables say: `is_found` of a row of estimates.estimate, the verdict of the primary
    test.
    """
    return row["verdict"] == "found" if "verdict" in row else bool(row.get("is_found"))


def build_forest(
    labelled: Sequence[tuple[str, str, Row]], *, name: str = "", unit: str = ""
) -> Forest | None:
    """Set rows on one scale.

    Parameters
    ----------
    labelled : sequence of (label, kind, row)
        Rows with ``estimate, ci_low, ci_high`` and, where they have them, ``low_permutation,
        high_permutation, truth``.
    name, unit : what the axis measures

    Returns
    -------
    Forest or None
        None without rows. The scale holds every estimate and truth and the intervals but the
        widest; those end in an arrow.
    """
    labelled = [item for item in labelled if number(item[2]["estimate"]) is not None]
    if not labelled:
        return None
    low, high = _scale([row for _, _, row in labelled])
    step = _step(high - low)
    low, high = math.floor(low / step) * step, math.ceil(high / step) * step

    def position(value: float) -> float:
        return round(MARGIN + (value - low) / (high - low) * (WIDTH - 2 * MARGIN), 1)

    count = round((high - low) / step)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    ticks = [(position(low + k * step), _tick(low + k * step, digits)) for k in range(count + 1)]
    rows = [_row(label, kind, row, position, (low, high)) for label, kind, row in labelled]
    truth = any(number(row.get("truth")) is not None for _, _, row in labelled)
    return Forest(rows, ticks, position(0.0), truth, any(row["thin"] for row in rows), name, unit)


def _scale(rows: list[Row]) -> tuple[float, float]:
    must = [0.0] + [
        found
        for row in rows
        for found in (number(row["estimate"]), number(row.get("truth")))
        if found is not None
    ]
    ends = [
        found
        for row in rows
        for name in ("ci_low", "ci_high")
        if (found := number(row[name])) is not None
    ]
    span = max(max(must) - min(must), 1e-9)
    # the widest intervals would press all others flat: an end further out than twice the middle
    # ones leaves the scale with an arrow
    widths = sorted(abs(end) for end in ends)
    limit = max(2.0 * widths[len(widths) * 3 // 4], span) if widths else span
    kept = [end for end in ends if abs(end) <= limit]
    return min(must + kept), max(must + kept)


def _step(span: float) -> float:
    raw = max(span, 1e-9) / TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    return next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw - 1e-12)


def _tick(value: float, digits: int) -> str:
    text = (
        f"{value + 0.0:.{digits + (1 if round(value, digits) != round(value, digits + 2) else 0)}f}"
    )
    return text.replace("-", "−") if float(text) else "0"


def _row(
    label: str, kind: str, row: Row, position: Any, ends: tuple[float, float]
) -> dict[str, Any]:
    def bar(low_name: str, high_name: str) -> dict[str, Any] | None:
        low, high = number(row.get(low_name)), number(row.get(high_name))
        if low is None or high is None:
            return None
        return {
            "from": position(max(low, ends[0])),
            "to": position(min(high, ends[1])),
            "left": low < ends[0] - 1e-12,
            "right": high > ends[1] + 1e-12,
        }

    pilots, truth = number(row.get("n_pilots")), number(row.get("truth"))
    return {
        "row": row,
        "label": label,
        "kind": kind,
        "x": position(float(row["estimate"])),
        "bar": bar("ci_low", "ci_high"),
        "thin": bar("low_permutation", "high_permutation"),
        "truth": None if truth is None else position(truth),
        "few": pilots is not None and pilots < FEW_PILOTS,
        "rejects": is_found(row),
    }
