"""Read a city panel from a CSV or Parquet file, and say exactly what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..panel.pair_file import FIRST_YEAR, LAST_YEAR, MISSING, PanelFileError

COLUMNS = ("city_id", "year", "growth", "cohort_year", "block_id")


@dataclass(frozen=True)
class CityFile:
    """Arrays for `fit_primary`.

    Attributes
    ----------
    growth : (N, T) float array
        NaN where the file has no row or a blank.
    years : (T,) int array
    cohort : (N,) int array
        0 = never.
    block : (N,) str array
    city_ids : (N,) str array
    """

    growth: np.ndarray
    years: np.ndarray
    cohort: np.ndarray
    block: np.ndarray
    city_ids: np.ndarray


def read_city_file(path: Path) -> CityFile:
    """Read and check a city panel: one row per city and year.

    Parameters
    ----------
    path : Path
        CSV, or Parquet where the name ends in .parquet. Columns `city_id`, `year`, `growth`, `cohort_year` (first treated year, blank =
        never), `block_id`; others are not read.

    Returns
    -------
    CityFile

    Raises
    ------
    PanelFileError
        On any fault of the file.
    """
    table = _Table(path, _read(path))
    table.require(COLUMNS)
    ids, blocks = table.labels("city_id"), table.labels("block_id")
    years_of_row, cohort_of_row = table.years("year", may_be_blank=False), table.years("cohort_year", may_be_blank=True)
    values = table.numbers("growth", "a number or a blank")
    city_ids, city = np.unique(ids, return_inverse=True)
    years, year = np.unique(years_of_row, return_inverse=True)
    _refuse_duplicates(table, city * len(years) + year, ids, years_of_row)
    cohort = _constant(table, city, cohort_of_row, "cohort_year", "give the first year the city is treated in every row, not a 0/1 dummy")
    block = _constant(table, city, blocks, "block_id", "give the block of the city in every row")
    growth = np.full((len(city_ids), len(years)), np.nan)
    growth[city, year] = values
    return CityFile(growth, years, cohort, block, city_ids)


class _Table:
    """Columns of the file as text, with messages that name the place."""

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
            remedy = "add the column (cohort_year: the year the city is first treated, blank = never; block_id: its province)"
            raise self.fail(None, ", ".join(absent), "it in the header", f"only {found}", remedy)
        if len(self.frame) == 0:
            raise self.fail(None, None, "one row for a city in a year", "no rows", "give a panel with data")

    def text(self, column: str) -> np.ndarray:
        return self.frame[column].to_numpy(dtype=object)

    def labels(self, column: str) -> np.ndarray:
        texts = self.text(column)
        empty = np.flatnonzero(self._blank(texts))
        if len(empty):
            raise self.fail(int(empty[0]), column, "an id", "a blank cell", "fill it in or remove the row")
        return texts.astype(str)

    def numbers(self, column: str, kind: str) -> np.ndarray:
        """Floats, NaN for blanks; infinite values and text are errors."""
        texts = self.text(column)
        blank = self._blank(texts)
        values = pd.to_numeric(pd.Series(np.where(blank, "nan", texts), dtype=object), errors="coerce").to_numpy(dtype=np.float64)
        wrong = np.flatnonzero(~np.isfinite(values) & ~blank)
        if len(wrong):
            raise self.fail(int(wrong[0]), column, kind, repr(texts[wrong[0]]), "correct the cell")
        return values

    def years(self, column: str, *, may_be_blank: bool) -> np.ndarray:
        """Integer years, 0 for blanks."""
        kind = f"a year from {FIRST_YEAR} to {LAST_YEAR}" + (" or a blank (never)" if may_be_blank else "")
        values = self.numbers(column, kind)
        blank = np.isnan(values)
        filled = np.where(blank, 0, values)
        wrong = ((filled != np.floor(filled)) | (filled < FIRST_YEAR) | (filled > LAST_YEAR)) & ~(blank & may_be_blank)
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise self.fail(row, column, kind, repr(self.text(column)[row]), "correct the cell")
        return filled.astype(np.int64)

    @staticmethod
    def _blank(texts: np.ndarray) -> np.ndarray:
        return np.array([value.lower() in MISSING for value in texts], dtype=bool)


def _read(path: Path) -> pd.DataFrame:
    """Cells as text, blank where nothing stands; the index is the line counted from 0."""
    if not path.is_file():
        raise PanelFileError(f"{path}: expected a CSV or Parquet file, found no file of this name; check the path")
    try:
        return _as_text(pd.read_parquet(path)) if path.suffix.lower() == ".parquet" else _read_csv(path)
    except (OSError, ValueError) as error:
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise PanelFileError(
            f"{path.name}: expected a CSV in UTF-8 or a Parquet file, found {text}; save it again in one of these"
        ) from error


def _read_csv(path: Path) -> pd.DataFrame:
    # the header is read as a row because pandas renames columns that occur twice
    rows = pd.read_csv(path, header=None, dtype=str, keep_default_na=False, encoding="utf-8-sig", skip_blank_lines=False)
    rows = rows.apply(lambda column: column.fillna("").str.strip())
    rows = rows[(rows != "").any(axis=1)]
    frame = rows.iloc[1:]
    frame.columns = rows.iloc[0].tolist()
    return frame


def _as_text(frame: pd.DataFrame) -> pd.DataFrame:
    columns = {}
    for name in frame.columns:
        values = frame[name].astype(object).where(frame[name].notna(), "")
        columns[str(name)] = [str(int(v)) if isinstance(v, float) and v.is_integer() else str(v).strip() for v in values]
    return pd.DataFrame(columns, dtype=object)


def _refuse_duplicates(table: _Table, cell: np.ndarray, ids: np.ndarray, years: np.ndarray) -> None:
    order = np.argsort(cell, kind="stable")
    again = np.flatnonzero(np.diff(cell[order]) == 0)
    if len(again):
        first, second = sorted(order[again[0] : again[0] + 2].tolist())
        found = f"city {ids[second]} in {years[second]} again (first in {table.unit} {table.place(first)})"
        raise table.fail(second, "city_id, year", "one row for a city in a year", found, "remove one of the rows")


def _constant(table: _Table, city: np.ndarray, values: np.ndarray, column: str, remedy: str) -> np.ndarray:
    """One value for each city."""
    first = values[np.unique(city, return_index=True)[1]]
    wrong = np.flatnonzero(first[city] != values)
    if len(wrong):
        row = int(wrong[0])
        found = f"{values[row] or 'blank'} beside {first[city[row]] or 'blank'}"
        raise table.fail(row, column, "one value for all rows of a city", found, remedy)
    return first
