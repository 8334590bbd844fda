"""A panel in a file as columns of text, with messages that name the place: what pair panels and city panels have in common."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

MISSING = ("", "na", "nan", "null", "none", "<na>")
FIRST_YEAR, LAST_YEAR = 1000, 3000


class PanelFileError(ValueError):
    """The file cannot be used; the message names file, line and column, what was expected, what was found and what to do."""


class PanelTable:
    """Columns of a file as text; the frame's index is the line counted from 0.

    Attributes
    ----------
    one_row : str
        What one row is, for the message of a file without rows.
    hint : str
        What the columns hold, for the message of a file without one of them.
    """

    one_row = "one row"
    hint = "add the column"

    def __init__(self, path: Path, frame: pd.DataFrame) -> None:
        self.path, self.frame = path, frame
        self.unit = "row" if path.suffix.lower() == ".parquet" else "line"

    def fail(self, row: int | None, column: str | None, expected: str, found: str, remedy: str) -> PanelFileError:
        where = "" if row is None else f", {self.unit} {self.place(row)}"
        where += "" if column is None else f", column {column}"
        return PanelFileError(f"{self.path.name}{where}: expected {expected}, found {found}; {remedy}")

    def place(self, row: int) -> int:
        """Row of a Parquet file, or line of a CSV with the header as line 1; both from 1."""
        return int(self.frame.index[row]) + 1

    def require(self, names: tuple[str, ...]) -> None:
        repeated = self.frame.columns[self.frame.columns.duplicated()].tolist()
        if repeated:
            raise self.fail(None, repeated[0], "each column once", "the name twice in the header", "rename one of them")
        absent = [name for name in names if name not in self.frame.columns]
        if absent:
            found = ", ".join(map(str, self.frame.columns)) or "no columns"
            raise self.fail(None, ", ".join(absent), "it in the header", f"only {found}", self.hint)
        if len(self.frame) == 0:
            raise self.fail(None, None, self.one_row, "no rows", "give a panel with data")

    def text(self, column: str) -> np.ndarray:
        return self.frame[column].to_numpy(dtype=object)

    def blank(self, column: str) -> np.ndarray:
        return np.array([value.lower() in MISSING for value in self.text(column)], dtype=bool)

    def numbers(self, column: str, kind: str = "a number or a blank") -> np.ndarray:
        """Floats, NaN for blanks; infinite values and text are errors."""
        blank, texts = self.blank(column), self.text(column)
        values = pd.to_numeric(pd.Series(np.where(blank, "nan", texts), dtype=object), errors="coerce").to_numpy(dtype=np.float64)
        wrong = np.flatnonzero((~np.isfinite(values)) & ~blank)
        if len(wrong):
            raise self.fail(int(wrong[0]), column, kind, repr(texts[wrong[0]]), "correct the cell")
        return values

    def years(self, column: str, *, may_be_blank: bool) -> np.ndarray:
        """Integer years, 0 for blanks."""
        kind = f"a year from {FIRST_YEAR} to {LAST_YEAR}" + (" or a blank (never)" if may_be_blank else "")
        values = self.numbers(column, kind)
        filled = np.where(np.isnan(values), 0, values)
        wrong = (filled != np.floor(filled)) | (((filled < FIRST_YEAR) | (filled > LAST_YEAR)) & ~(np.isnan(values) & may_be_blank))
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise self.fail(row, column, kind, repr(self.text(column)[row]), "correct the cell")
        return filled.astype(np.int64)
