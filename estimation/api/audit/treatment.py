"""Look the treatment of every pair up, so that units can exchange their identities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from ...panel.panel_error import PanelError, refused
from ...panel.unit_values import beside, blocks_of_units, is_beside, rows_beside
from ..dyads import type_of
from ..fit_rows import as_pandas


@dataclass(frozen=True)
class Treatment:
    """The treatment of all pairs of the units of n rows.

    Attributes
    ----------
    ids : (N,) array
        Units.
    first, second, period : (n,) int arrays
        Units and period of each row.
    values : (N, N, T) float array
        Treatment of a pair in a period; NaN for a unit with itself where no row needs it.
    blocks : list of int arrays
        Units that trade places with one another.
    """

    ids: np.ndarray
    first: np.ndarray
    second: np.ndarray
    period: np.ndarray
    values: np.ndarray
    blocks: list[np.ndarray]

    def exchanged(self, rng: np.random.Generator) -> np.ndarray:
        """Return the treatment of each row, (n,), after units have exchanged their identities."""
        place = np.arange(len(self.ids))
        for members in self.blocks:
            place[members] = rng.permutation(members)
        return self.values[place[self.first], place[self.second], self.period]


def read_treatment(
    frame: pd.DataFrame, data: Any, name: str, unit: Sequence[str], time: str | None, block: Any
) -> Treatment:
    """Return the treatment of all pairs of the units of a fit's rows.

    Where one direction of a pair is not known, the other one stands for it, unless the directions
    of some pair differ.

    Parameters
    ----------
    frame : frame
        Rows of the fit.
    data : frame or None
        Where the treatment of all pairs is looked up; None: in `frame`.
    name : str
        Column of the treatment.
    unit : (str, str)
    time : str or None
    block : mapping, series, frame or None
        Block of each unit.

    Raises
    ------
    PanelError
        If a column is missing, a pair has no treatment in a period, or `data` has another one than
        the fit.
    """
    source = frame if data is None else as_pandas(data)
    columns = [*unit, name] if time is None else [*unit, name, time]
    for column in columns:
        for table, what in ((frame, "the fit's data"), (source, "data=")):
            if column not in table:
                found = f"only {', '.join(map(str, table))}"
                remedy = "add the column or name another"
                raise PanelError("data", None, column, f"it in {what}", found, remedy)
    ids = _ids(frame, unit)
    of_unit = _blocks(block, ids.to_numpy())
    periods = pd.Index([0]) if time is None else pd.Index(np.unique(frame[time]))

    def places_of(table: pd.DataFrame) -> np.ndarray:
        """Return places of both units and of the period, (3, n); -1 where the fit does not have
        them.
        """
        found = [ids.get_indexer(table[side]) for side in unit]
        when = [0] * len(table) if time is None else periods.get_indexer(table[time])
        return np.array([*found, when])

    known = places_of(source)
    is_used = known.min(axis=0) >= 0
    values = np.full((len(ids), len(ids), len(periods)), np.nan)
    values[tuple(known[:, is_used])] = source[name].to_numpy(dtype=float)[is_used]
    back = values.transpose(1, 0, 2)
    has_both = ~np.isnan(values) & ~np.isnan(back)
    if np.array_equal(values[has_both], back[has_both]):
        values = np.where(np.isnan(values), back, values)
    places = places_of(frame)
    first, second, period = places
    # a pair of two blocks that no row has is never needed, such as two banks of banks and firms
    of_pair = of_unit * (of_unit.max() + 1) + of_unit[:, None]
    is_needed = np.isin(of_pair, of_pair[first, second])
    missing = np.isnan(values) & is_needed[:, :, None]
    if (first != second).all():
        missing[np.diag_indices(len(ids))] = False
    if missing.any():
        one, two, when = np.argwhere(missing)[0]
        expected = f"the treatment of every pair, such as {ids[one]}, {ids[two]}"
        if time is not None:
            expected = f"{expected} in {periods[when]}"
        remedy = "give data=, a frame that has them all, or block= for units of two kinds"
        raise PanelError("data", None, name, expected, "no row of it", remedy)
    known = values[tuple(places)]
    differs = known != frame[name].to_numpy(dtype=float)
    if differs.any():
        row = int(np.argmax(differs))
        expected = f"{frame[name].iloc[row]} as in row {row + 1} of the fit"
        found = str(known[row])
        remedy = "name the column of time"
        if time is not None:
            remedy = "give each pair one treatment in a period, and the data of the fit"
        raise PanelError("data", None, name, expected, found, remedy)
    blocks = [np.flatnonzero(of_unit == one) for one in np.unique(of_unit)]
    return Treatment(ids.to_numpy(), first, second, period, values, blocks)


def _ids(frame: pd.DataFrame, unit: Sequence[str]) -> pd.Index:
    """Return the units of both columns in ascending order."""
    sides = [frame[side].unique() for side in unit]
    types = sorted({type_of(one) for one in chain(*sides)})
    if len(types) > 1:
        remedy = "give all ids one type, such as text, and each kind of units blocks of its own"
        raise PanelError("unit", None, None, "ids of one type", " and ".join(types), remedy)
    return pd.Index(np.unique(np.concatenate(sides)))


def _blocks(given: Any, ids: np.ndarray) -> np.ndarray:
    """Return the number of each unit's block; one for all where none are given."""
    if given is None:
        return np.zeros(len(ids), dtype=np.int64)
    given = beside(given, "block")
    if not is_beside(given):
        expected = "the block of each unit, as a mapping, a series, a frame or a path"
        raise refused("block", expected, given, "give {unit: its block}, for example")
    rows, _ = rows_beside(given, "block", ids, None)
    found = blocks_of_units(rows, list(rows.table.columns), ids, ("",))
    return np.unique(found, return_inverse=True)[1]
