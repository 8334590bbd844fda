"""One series of one source as a city-by-year table of delivered cells, and the booking of places so
that defects lie far apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

FIRST_YEAR, LAST_YEAR = 2003, 2021
YEARS = np.arange(FIRST_YEAR, LAST_YEAR + 1)
# Share of a province's cities that may be disturbed in one year: beyond it the province's own
# median moves.
CROWDED = 0.12


@dataclass(frozen=True)
class Cities:
    """The roster in code order: ids, provinces (both shape (n,)), and groups of rows that share an
    English name.
    """

    city_id: np.ndarray
    province: np.ndarray
    namesakes: tuple[tuple[int, int], ...]

    @classmethod
    def from_roster(cls, roster: pd.DataFrame) -> Cities:
        """From the seed city_roster; namesakes are told apart there by a province in brackets."""
        ordered = roster.sort_values("city_id", ignore_index=True)
        name = ordered["city_name_en"].str.replace(r" \(.*\)$", "", regex=True)
        pairs = [tuple(group.index[:2]) for _, group in ordered.groupby(name) if len(group) >= 2]
        return cls(ordered["city_id"].to_numpy(), ordered["province_id"].to_numpy(), tuple(pairs))


@dataclass(frozen=True)
class View:
    """A source's series of an indicator.

    Attributes
    ----------
    value : ndarray of float, shape (n_cities, n_years)
        Values as delivered (delivered unit), NaN where none was taken or a rule already objects to
        it.
    line : ndarray of int, shape (n_cities, n_years)
        Row of the raw table that holds the cell, -1 where there is none.
    order : ndarray of float, shape (n_cities,)
        Place of the city in the file, for shifts of rows.
    decimals : int
        Decimals that the source usually gives.
    """

    source_id: str
    value: np.ndarray
    line: np.ndarray
    order: np.ndarray
    decimals: int

    @property
    def has(self) -> np.ndarray:
        """Where a value stands, shape (n_cities, n_years)."""
        return np.isfinite(self.value)


def build_view(source_id: str, cells: pd.DataFrame, cities: Cities) -> View:
    """From graded cells of one source and indicator: columns city_id, year, line, value_delivered,
    row_no, raw_text.
    """
    shape = (len(cities.city_id), len(YEARS))
    value, line, order = np.full(shape, np.nan), np.full(shape, -1), np.full(shape[0], np.inf)
    cells = cells[cells["year"].between(FIRST_YEAR, LAST_YEAR)]
    row = np.searchsorted(cities.city_id, cells["city_id"].to_numpy())
    column = cells["year"].to_numpy() - FIRST_YEAR
    value[row, column] = cells["value_delivered"].to_numpy()
    line[row, column] = cells["line"].to_numpy()
    np.minimum.at(order, row, cells["row_no"].to_numpy().astype(float))
    decimals = cells["raw_text"].str.extract(r"\.(\d+)$")[0].str.len().fillna(0)
    return View(
        source_id,
        value,
        line,
        order,
        int(decimals.quantile(0.9)) if len(decimals) else 0,
    )


class Booking:
    """Which city-years of an indicator are taken by an event; the same in every source, so that one
    side of a comparison stays clean.
    """

    def __init__(self, cities: Cities) -> None:
        self.busy = np.zeros((len(cities.city_id), len(YEARS)), dtype=bool)
        self.province = cities.province

    def is_free(self, rows: np.ndarray | list[int], first: int, last: int, pad: int = 4) -> bool:
        """Whether no event stands within `pad` years of columns first..last in any of the rows, nor
        too many in their provinces.
        """
        rows = np.asarray(rows)
        low, high = max(first - pad, 0), min(last + pad, len(YEARS) - 1)
        if self.busy[rows, low : high + 1].any():
            return False
        for province in set(self.province[rows].tolist()):
            members = self.province == province
            taken = self.busy[members, first : last + 1].sum(axis=0).max()
            if taken >= max(1, int(CROWDED * members.sum())):
                return False
        return True

    def take(self, rows: np.ndarray | list[int], first: int, last: int) -> None:
        """Book columns first..last of the rows."""
        self.busy[np.asarray(rows), first : last + 1] = True
