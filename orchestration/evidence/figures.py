"""Figures as the pages print them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


def signed(value: float | None) -> str:
    """Return a change with its sign and three decimals."""
    return "" if value is None else f"{value:+.3f}"


def interval(row: Row) -> str:
    """Return the 95 % interval of a row; an end that is missing is a dash."""
    low, high = row["ci_low"], row["ci_high"]
    if low is None and high is None:
        return "no interval"
    return f"{signed(low) or '-'} to {signed(high) or '-'}"


def p_of(value: float | None) -> str:
    """Return a p with three decimals below 0.1, else with two."""
    if value is None:
        return ""
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def size(value: float | None) -> str:
    """Return a size without a sign, three decimals."""
    return "none" if value is None else f"{value:.3f}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines)
