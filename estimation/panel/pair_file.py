"""Read a city-pair panel from a CSV or Parquet file, and say exactly what is wrong with it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from .admissions import infer_city_cohorts
from .pair_panel import PairPanel, pair_cohorts
from .panel_table import PanelFileError, PanelTable

KEYS = ("city_i_id", "city_j_id", "year", "cohort_year")
PROVINCES = ("province_i_id", "province_j_id")
CITY_COHORTS = ("city_i_cohort_year", "city_j_cohort_year")
NAMED_CITIES = 5


@dataclass(frozen=True)
class PairFile:
    """A panel read from a file, and what a reader should know of it.

    Attributes
    ----------
    panel : PairPanel
    notes : tuple of str
    """

    panel: PairPanel
    notes: tuple[str, ...]


def read_pair_file(path: Path, outcome: str, controls: tuple[str, ...]) -> PairFile:
    """Read and check a panel.

    Parameters
    ----------
    path : Path
        CSV, or Parquet where the name ends in .parquet.
    outcome : str
    controls : tuple of str

    Returns
    -------
    PairFile

    Raises
    ------
    PanelFileError
        On any fault of the file.
    """
    table = _Table(path, _read(path))
    table.require((*KEYS, outcome, *controls))
    for name in (PROVINCES, CITY_COHORTS):
        table.require_both(name)
    if len(set(controls)) < len(controls) or outcome in controls:
        raise PanelFileError(f"{path.name}: a control is named twice or is the outcome; name each column once")
    return _build(table, outcome, controls)


class _Table(PanelTable):
    """A pair panel: two ids, and columns that come in pairs."""

    one_row = "one row for a pair in a year"
    hint = "add the column (cohort_year: the year the pair is first treated, blank = never; a 0/1 dummy does not do)"

    def require_both(self, names: tuple[str, str]) -> None:
        present = [name in self.frame.columns for name in names]
        if any(present) and not all(present):
            absent = names[present.index(False)]
            raise self.fail(None, absent, f"it beside {names[present.index(True)]}", "no such column", "add it or leave both out")

    def has(self, names: tuple[str, str]) -> bool:
        return names[0] in self.frame.columns

    def labels(self, columns: tuple[str, str]) -> list[np.ndarray]:
        """Two id columns: integers if all of them are, else text."""
        texts = [self.text(column) for column in columns]
        for column, values in zip(columns, texts, strict=True):
            empty = np.flatnonzero(values == "")
            if len(empty):
                raise self.fail(int(empty[0]), column, "an id", "a blank cell", "fill it in or remove the row")
        if all(_is_integer(value) for values in texts for value in set(values.tolist())):
            return [np.array([int(value) for value in values], dtype=np.int64) for values in texts]
        return [values.astype(str) for values in texts]


def _is_integer(value: str) -> bool:
    return value.removeprefix("-").isdecimal() and value.isascii()


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise PanelFileError(f"{path}: expected a CSV or Parquet file, found no file there; check the path")
    try:
        if path.suffix.lower() == ".parquet":
            return _as_text(pd.read_parquet(path))
        return _read_csv(path)
    except (OSError, ValueError, UnicodeError) as error:
        raise PanelFileError(f"{path.name}: expected a readable CSV or Parquet file, found: {error}; check the format") from error


def _read_csv(path: Path) -> pd.DataFrame:
    """Cells as stripped text; the index is the line in the file, counted from the header's as 0, also where lines are blank."""
    # the header is read as a row because pandas renames columns that occur twice
    rows = pd.read_csv(path, header=None, dtype=str, keep_default_na=False, encoding="utf-8-sig", skip_blank_lines=False)
    rows = rows.apply(lambda column: column.fillna("").str.strip())
    rows = rows[(rows != "").any(axis=1)]
    frame = rows.iloc[1:]
    frame.columns = rows.iloc[0].tolist()
    return frame


def _as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Parquet cells as the text a CSV would hold, floats in full precision."""
    columns = {}
    for name in frame.columns:
        values = frame[name].astype(object).where(frame[name].notna(), "")
        columns[str(name)] = [str(int(v)) if isinstance(v, float) and v.is_integer() else str(v) for v in values]
    return pd.DataFrame(columns, dtype=object)


def _build(table: _Table, outcome: str, controls: tuple[str, ...]) -> PairFile:
    ids_i, ids_j = table.labels(("city_i_id", "city_j_id"))
    _refuse_order(table, ids_i, ids_j)
    years_of_row = table.years("year", may_be_blank=False)
    city_ids, positions = np.unique(np.concatenate([ids_i, ids_j]), return_inverse=True)
    row_i, row_j = positions.reshape(2, -1)
    keys, row_pair = np.unique(row_i * len(city_ids) + row_j, return_inverse=True)
    years, row_year = np.unique(years_of_row, return_inverse=True)
    _refuse_duplicates(table, row_pair * len(years) + row_year, ids_i, ids_j, years_of_row)
    if len(years) < 2:
        raise table.fail(None, "year", "at least two years", f"only {years[0]}", "give a panel over time")
    cohort = _constant(table, row_pair, table.years("cohort_year", may_be_blank=True), "cohort_year", len(keys), "pair")
    cube = np.full((1 + len(controls), len(keys), len(years)), np.nan)
    for k, name in enumerate((outcome, *controls)):
        cube[k, row_pair, row_year] = table.numbers(name)
    _refuse_constant(table, cube[0], outcome)
    pairs = (keys // len(city_ids), keys % len(city_ids))
    notes = _missing_notes(cube, len(row_pair), outcome, controls)
    panel = PairPanel(
        city_i=pairs[0],
        city_j=pairs[1],
        years=years,
        y=cube[0],
        city_cohort=np.zeros(len(city_ids), dtype=np.int64),
        controls=cube[1:] if controls else None,
        cohort=np.zeros(len(keys), dtype=np.int64),
        city_ids=city_ids,
    )
    panel, role_notes = _with_roles(table, panel, np.where(cohort > years[-1], 0, cohort), (row_i, row_j))
    panel, province_notes = _with_provinces(table, panel, (row_i, row_j))
    return PairFile(panel, (*notes, *role_notes, *province_notes))


def _refuse_order(table: _Table, ids_i: np.ndarray, ids_j: np.ndarray) -> None:
    wrong = np.flatnonzero(ids_i >= ids_j)
    if len(wrong) == 0:
        return
    row = int(wrong[0])
    kind = "as integers" if ids_i.dtype.kind == "i" else "as text"
    problem = "a pair of a city with itself" if ids_i[row] == ids_j[row] else f"{ids_i[row]} > {ids_j[row]}"
    raise table.fail(
        row, "city_i_id, city_j_id", f"city_i_id < city_j_id ({kind})", problem, "put the smaller id first, one row per pair and year"
    )


def _refuse_duplicates(table: _Table, cell: np.ndarray, ids_i: np.ndarray, ids_j: np.ndarray, years: np.ndarray) -> None:
    order = np.argsort(cell, kind="stable")
    again = np.flatnonzero(np.diff(cell[order]) == 0)
    if len(again):
        first, second = sorted(order[again[0] : again[0] + 2].tolist())
        found = f"pair {ids_i[second]}, {ids_j[second]} in {years[second]} again (first in {table.place(first)})"
        raise table.fail(second, None, "one row for a pair in a year", found, "remove one of the rows")


def _constant(table: _Table, index: np.ndarray, values: np.ndarray, column: str, size: int, owner: str) -> np.ndarray:
    """One value for each pair or city; where it varies the treatment would switch off or move."""
    result = np.zeros(size, dtype=values.dtype)
    result[index[::-1]] = values[::-1]
    wrong = np.flatnonzero(result[index] != values)
    if len(wrong):
        row = int(wrong[0])
        expected = f"one value for all rows of a {owner}"
        found = f"{values[row] or 'blank'} beside {result[index[row]] or 'blank'}"
        remedy = "treatment must be absorbing: give the first treated year of each, and leave a dummy for 'exactly one is a pilot now' out"
        raise table.fail(row, column, expected, found, remedy if values.dtype.kind == "i" else "correct the cell")
    return result


def _refuse_constant(table: _Table, y: np.ndarray, outcome: str) -> None:
    present = y[np.isfinite(y)]
    if len(present) == 0:
        raise table.fail(None, outcome, "numbers", "only blanks", "name another outcome")
    if present.min() == present.max():
        raise table.fail(None, outcome, "an outcome that varies", f"{present[0]:g} in every row", "name another outcome")


def _missing_notes(cube: np.ndarray, n_rows: int, outcome: str, controls: tuple[str, ...]) -> list[str]:
    lacking = n_rows - int(np.isfinite(cube).all(axis=0).sum())
    if lacking == 0:
        return []
    names = ", ".join((outcome, *controls))
    return [f"{lacking} rows are left out: {names} blank."]


def _with_roles(table: _Table, panel: PairPanel, cohort: np.ndarray, rows: tuple[np.ndarray, np.ndarray]) -> tuple[PairPanel, list[str]]:
    if table.has(CITY_COHORTS):
        return _with_named_pilots(table, panel, cohort, rows)
    city_cohort, doubtful = infer_city_cohorts(panel.city_i, panel.city_j, cohort, panel.n_cities)
    known = not doubtful.any()
    changed = dataclasses.replace(panel, city_cohort=city_cohort, cohort=cohort, pilots_known=known)
    if known:
        return changed, []
    names = panel.city_ids[doubtful]
    listed = ", ".join(map(str, names[:NAMED_CITIES])) + (f" and {len(names) - NAMED_CITIES} more" if len(names) > NAMED_CITIES else "")
    text = f"The pairs do not say which cities are pilots ({listed}): name them in {CITY_COHORTS[0]} and {CITY_COHORTS[1]}. "
    text += "Until then the smaller side of those pairs is counted as the pilots."
    return changed, [text]


def _with_named_pilots(table: _Table, panel: PairPanel, cohort: np.ndarray, rows) -> tuple[PairPanel, list[str]]:
    values = np.concatenate([table.years(name, may_be_blank=True) for name in CITY_COHORTS])
    city_cohort = _city_values(table, values, rows, CITY_COHORTS, panel)
    changed = dataclasses.replace(panel, city_cohort=city_cohort, cohort=None)
    derived = pair_cohorts(changed)
    wrong = np.flatnonzero((derived != cohort) & (derived >= 0))
    if len(wrong):
        pair = int(wrong[0])
        i, j = panel.city_ids[panel.city_i[pair]], panel.city_ids[panel.city_j[pair]]
        found = f"{cohort[pair] or 'blank'} for pair {i}, {j} whose cities say {derived[pair] or 'blank'}"
        raise table.fail(None, "cohort_year", "the year of the pair's only pilot, or blank without a pilot", found, "make them agree")
    n_both = int((derived < 0).sum())
    return changed, [f"{n_both} pairs of two pilots are left out."] if n_both else []


def _with_provinces(table: _Table, panel: PairPanel, rows: tuple[np.ndarray, np.ndarray]) -> tuple[PairPanel, list[str]]:
    if not table.has(PROVINCES):
        return panel, []
    if table.blank(PROVINCES[0]).any() or table.blank(PROVINCES[1]).any():
        return panel, [f"Some cells of {PROVINCES[0]} or {PROVINCES[1]} are blank: the lines that need provinces are left out."]
    values = np.concatenate(table.labels(PROVINCES))
    return dataclasses.replace(panel, province=_city_values(table, values, rows, PROVINCES, panel)), []


def _city_values(table: _Table, values: np.ndarray, rows, columns: tuple[str, str], panel: PairPanel) -> np.ndarray:
    """A value for each city from the columns of both sides."""
    cities = np.concatenate(rows)
    order = np.lexsort((np.arange(len(cities)), cities))
    starts = np.searchsorted(cities[order], np.arange(panel.n_cities))
    first = values[order[starts]]
    wrong = np.flatnonzero(first[cities] != values)
    if len(wrong):
        side, row = divmod(int(wrong[0]), len(rows[0]))
        found = f"{values[wrong[0]] or 'blank'} beside {first[cities[wrong[0]]] or 'blank'} for city {panel.city_ids[cities[wrong[0]]]}"
        raise table.fail(row, columns[side], "one value for all rows of a city", found, "make them agree")
    return first
