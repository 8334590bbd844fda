"""Numbers of a page: each is set with its query and column, so that a reader can ask for its SQL
and a test can run it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pandas as pd
from markupsafe import Markup

from .data import ReportData
from .queries import QUERIES

NOTHING = "–"
MINUS = "−"


class Row(dict):
    """One row of a query, missing values as None."""

    query: str = ""

    @property
    def ref(self) -> str:
        """What names it: ``query?key=value&...``; made where a page shows it, as most are not."""
        keys = QUERIES[self.query].keys
        return f"{self.query}?" + urlencode({key: _plain(self[key]) for key in keys})


def rows_of(data: ReportData, name: str) -> list[Row]:
    """Return rows of a query, made once for all pages.

    Parameters
    ----------
    data : ReportData
    name : a key of QUERIES
    """
    if name not in data.rows:
        frame = data[name]
        cells = frame.astype(object).where(frame.notna(), None)
        data.rows[name] = [Row(record) for record in cells.to_dict("records")]
        for row in data.rows[name]:
            row.query = name
    return data.rows[name]


def rows_by(data: ReportData, name: str, *keys: str) -> dict[tuple, list[Row]]:
    """Return rows of a query by their values of some keys."""
    if (name, *keys) not in data.found:
        found = data.found[name, *keys] = {}
        for row in rows_of(data, name):
            found.setdefault(tuple(row[key] for key in keys), []).append(row)
    return data.found[name, *keys]


def _plain(value: object) -> str:
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def number(value: object) -> float | None:
    """Return a float, or None for anything missing."""
    return None if value is None or pd.isna(value) else float(value)


def rounded(value: object, digits: int) -> float | None:
    """Return a float of so many digits for a script, or None for anything missing."""
    found = number(value)
    return None if found is None else round(found, digits)


def shown(value: object, form: str) -> str:
    """Return a value as text.

    Parameters
    ----------
    value : number or text, None where there is none
    form : ``3`` or ``+3`` (digits, with sign), ``p``, ``int``, ``%`` or ``+%`` (of 1), ``share``
    (of 1, not below 1 %), ``points`` (of 1, in percentage points), ``g`` (six figures that
    count), ``year``, ``s``
    """
    if form == "s":
        return NOTHING if value is None or value == "" else str(value)
    found = number(value)
    if found is None:
        return NOTHING
    return _FORMS[form](found) if form in _FORMS else _decimals(found, form)


def _decimals(value: float, form: str) -> str:
    digits = int(form.removeprefix("+"))
    rounded = round(value, digits) + 0.0
    # a number that is zero in print has no sign
    sign = "+" if form.startswith("+") and rounded else ""
    return f"{rounded:{sign},.{digits}f}".replace("-", MINUS)


_FORMS = {
    "p": lambda p: "<0.001" if p < 0.001 else f"{p:.3f}",
    "int": lambda n: f"{int(n):,}".replace("-", MINUS),
    "year": lambda n: f"{int(n)}",
    "share": lambda x: "<1%" if x < 0.01 else f"{x:.0%}",
    "%": lambda x: f"{x:.0%}".replace("-", MINUS),
    "+%": lambda x: f"{x:+.0%}".replace("-", MINUS),
    "%2": lambda x: f"{100 * x:,.2f} %".replace("-", MINUS),
    "g": lambda x: f"{x:,.6g}".replace("-", MINUS),
}


def num(row: Row, column: str, form: str) -> Markup:
    """Return a number in a sentence, with its query and column."""
    return Markup('<span class="num" data-q="{}" data-c="{}:{}">{}</span>').format(
        row.ref, column, form, shown(row[column], form)
    )


def td(row: dict[str, Any], column: str, form: str, *, said: Callable[[object], str]) -> Markup:
    """Return a cell of a table whose `tr` names the row; one that is withheld says why (`said` puts
    the reason into the language of the page).
    """
    if column not in row:
        return Markup('<td class="n">{}</td>').format(NOTHING)
    reason = row[column] is None and row.get("p_value_withheld_reason")
    title = Markup(' title="{}"').format(said(reason)) if reason else ""
    return Markup('<td data-c="{}:{}"{}>{}</td>').format(
        column, form, title, shown(row[column], form)
    )
