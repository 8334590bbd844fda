"""CSV for spreadsheets: UTF-8 with a mark, and no delivered text can become a formula."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

# a spreadsheet takes a text that begins so as a formula, also behind blanks that it drops
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def guard(value: object) -> str:
    """A cell as text: numbers in their shortest exact spelling, missing as empty, a text like a
    formula behind an apostrophe.
    """
    if (
        value is None
        or value is pd.NA
        or value is pd.NaT
        or (isinstance(value, (float, np.floating)) and math.isnan(value))
    ):
        return ""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return repr(float(value))
    text = str(value)
    return "'" + text if text.lstrip(" ").startswith(FORMULA_STARTS) else text


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A CSV file as text.

    Parameters
    ----------
    columns : header
    rows : cells, as long as the header
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([guard(name) for name in columns])
    writer.writerows([[guard(cell) for cell in row] for row in rows])
    return "\ufeff" + buffer.getvalue()


def frame_csv(frame: pd.DataFrame) -> str:
    """A data frame as CSV text."""
    return csv_text(list(frame.columns), frame.itertuples(index=False, name=None))
