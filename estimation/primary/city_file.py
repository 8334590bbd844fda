"""Read a city panel from a CSV or Parquet file, and say exactly what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..panel.panel_table import PanelFileError, PanelTable

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
    values = table.numbers("growth")
    city_ids, city = np.unique(ids, return_inverse=True)
    years, year = np.unique(years_of_row, return_inverse=True)
    _refuse_duplicates(table, city * len(years) + year, ids, years_of_row)
    cohort = _constant(table, city, cohort_of_row, "cohort_year", "give the first year the city is treated in every row, not a 0/1 dummy")
    block = _constant(table, city, blocks, "block_id", "give the block of the city in every row")
    growth = np.full((len(city_ids), len(years)), np.nan)
    growth[city, year] = values
    return CityFile(growth, years, cohort, block, city_ids)


class _Table(PanelTable):
    """A city panel."""

    one_row = "one row for a city in a year"
    hint = "add the column (cohort_year: the year the city is first treated, blank = never; block_id: its province)"

    def labels(self, column: str) -> np.ndarray:
        """Ids as text; a blank one is an error."""
        empty = np.flatnonzero(self.blank(column))
        if len(empty):
            raise self.fail(int(empty[0]), column, "an id", "a blank cell", "fill it in or remove the row")
        return self.text(column).astype(str)


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
