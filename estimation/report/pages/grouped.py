"""Coefficients of many outcomes: those that share a unit on one scale, an outcome of several rows
on its own, single rows as a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..cells import Row
from ..forest import Forest, build_forest
from .context import Context

CORRELATION, LOGS, LEAD = "correlation", "logs", "lead"
SHARED = (CORRELATION, LOGS, LEAD)
LOG_OUTCOMES = ("neg_abs_gap_ln_", "mean_ln_", "ln_")


@dataclass(frozen=True)
class Grouped:
    """Forests of two rows and more, and the single rows with their names."""

    forests: list[Forest]
    singles: list[tuple[str, Row]]


def group(page: Context, rows: Iterable[Row], label: Callable[[Row], str]) -> Grouped:
    """Group coefficients by unit.

    Parameters
    ----------
    page : Context
    rows : coefficients
    label : what a row is called beside its outcome
    """
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(_unit(str(row["outcome"])), []).append(row)
    forests, singles = [], []
    for unit, own in sorted(groups.items(), key=lambda item: (item[0] not in SHARED, item[0])):
        outcomes = [page.words.outcome(str(row["outcome"])) for row in own]
        several = len(set(outcomes)) > 1
        whole = [
            page.words.plain("terms.of_class", kind=name, of=label(row))
            for name, row in zip(outcomes, own, strict=True)
        ]
        if len(own) == 1:
            singles.append((whole[0], own[0]))
            continue
        names = whole if several else [label(row) for row in own]
        labelled = [(name, "", row) for name, row in zip(names, own, strict=True)]
        shared = unit in SHARED
        name = page.words.plain(f"units.of_{unit}") if several else outcomes[0]
        forest = build_forest(
            labelled,
            name=name,
            unit=page.words.plain(
                f"units.{unit}" if shared or page.words.knows("units", unit) else "units.own"
            ),
        )
        if forest is not None:
            forests.append(forest)
    return Grouped(forests, singles)


def _unit(outcome: str) -> str:
    if outcome.startswith("cm_"):
        return CORRELATION
    if outcome.startswith("lead_"):
        return LEAD
    return LOGS if outcome.startswith(LOG_OUTCOMES) else outcome
