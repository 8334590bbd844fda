"""CSV for spreadsheets: UTF-8 with a mark, and no delivered text can become a formula."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

# A spreadsheet takes a text that begins so as a formula, also behind blanks that it drops; a number
# with the marks of a table is none. report/templates/scripts/common.js has the same two rules.
FORMULA = re.compile(r"[\s\x00-\x1f\ufeff]*[=+\-@＝＋－＠]|[\t\r\n]")
NUMBER = re.compile(r"[+-][0-9,]*\.?[0-9]+(e[+-]?[0-9]+)?[*†]*", re.IGNORECASE)


def guard(value: object) -> str:
    """Return a cell as text: numbers in their shortest exact spelling, missing as empty, a text
    like a formula behind an apostrophe.
    """
    if isinstance(value, str):
        return "'" + value if FORMULA.match(value) and not NUMBER.fullmatch(value) else value
    if value is None or (isinstance(value, (float, np.floating)) and math.isnan(value)):
        return ""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return repr(float(value))
    return guard(str(value))


def csv_lines(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """A CSV file, line by line.

    Parameters
    ----------
    columns : header
    rows : cells, as long as the header
    """
    writer = csv.writer(SimpleNamespace(write=str), lineterminator="\r\n")
    yield "\ufeff"
    for row in chain([columns], rows):
        yield writer.writerow([guard(cell) for cell in row])


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a CSV file as text; parameters as of `csv_lines`."""
    return "".join(csv_lines(columns, rows))


def frame_csv(frame: pd.DataFrame) -> str:
    """Return a data frame as CSV text."""
    cells = frame.astype(object).where(frame.notna(), None)
    return csv_text(list(frame.columns), cells.itertuples(index=False, name=None))
