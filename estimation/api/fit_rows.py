"""Which row of a frame or a series is which row of a fit of another package."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ..panel.panel_error import PanelError

# relative to the largest value of a column
SAME = 1e-9
REMEDY = "give data= as it was when it was fitted, or unit= as two series with its index"
IN_ORDER = "give two arrays in the order of the fit's rows, without those that it dropped"


@dataclass(frozen=True)
class FitRows:
    """The n rows that a fit used.

    A row of a frame is a row of the fit if it has the same label and the frame gives the values
    that the fit used. A row of a series needs the same label; the series must have as many rows as
    the fit used, or as the frame has that the fit keeps. A fit that numbers the rows of its frame
    anew has places instead of labels: then a frame must give the same values by place or by label,
    and a series has to be numbered 0, 1, 2, ... itself.

    Attributes
    ----------
    labels : index of length n
        Labels of the rows in the frame that was fitted, or their places in it.
    n_given : int or None
        How many rows the fitted frame had, if `labels` are places in it.
    values : (n, C) frame
        Outcome and regressors that the fit keeps as they were before effects and weights.
    values_in : callable
        Takes a frame of N rows and returns those of `values` that it gives, an (N, C) frame.
    frame : frame or None
        The frame that was fitted, where the fit keeps it. It may have been changed since.
    """

    labels: pd.Index
    n_given: int | None
    values: pd.DataFrame
    values_in: Callable[[pd.DataFrame], pd.DataFrame] = field(repr=False)
    frame: Any = field(default=None, repr=False)

    def units(self, unit: Sequence[Any], data: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """Return the two units of each row, (n,) each.

        Raises
        ------
        PanelError
            If a row of the fit cannot be matched with one of the frame or series.
        """
        if len(unit) != 2:
            expected = "two names of columns, or two arrays"
            raise PanelError("unit", None, None, expected, repr(unit), "give unit=(first, second)")
        if not all(isinstance(name, str) for name in unit):
            return self._in_order(unit[0]), self._in_order(unit[1])
        frame = self.frame if data is None else data
        if frame is None:
            found, remedy = "a fit without its data", "give data=, the frame it was fitted on"
            raise PanelError("fit", None, None, f"the columns {unit}", found, remedy)
        if hasattr(frame, "to_pandas"):
            frame = frame.to_pandas()
        if not isinstance(frame, pd.DataFrame):
            found = type(frame).__name__
            raise PanelError("data", None, None, "a pandas or polars frame", found, "convert it")
        for name in unit:
            if list(frame.columns).count(name) != 1:
                found = f"only {', '.join(map(str, frame.columns))}"
                remedy = "name others, or give data="
                raise PanelError("data", None, name, "it once in the fit's data", found, remedy)
        return self._in_frame(unit, frame)

    def _in_order(self, side: Any) -> np.ndarray:
        """Return the values of a series by label, those of an array in their own order."""
        if isinstance(side, pd.Series):
            places = self._by_label(side.index)
            if places is None or not self._is_index_of_fit(side.index):
                expected = (
                    f"a series whose index has the labels of the fit's {len(self.labels):,} rows"
                )
                found = f"{len(side):,} rows with other labels"
                if not side.index.is_unique:
                    found = "labels that occur twice"
                raise PanelError("unit", None, side.name, expected, found, IN_ORDER)
            side = side.iloc[places]
        values = np.asarray(side)
        if values.shape != self.labels.shape:
            expected = f"a unit for each of the {len(self.labels):,} rows that the fit used"
            raise PanelError("unit", None, None, expected, f"shape {values.shape}", IN_ORDER)
        return values

    def _in_frame(self, unit: Sequence[str], frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return two columns by the rows of the fit, if the frame has the values that it used."""
        try:
            given = self.values_in(frame)
        except Exception as error:
            expected = "a frame in which the fit's formula can be computed again"
            found = f"{type(error).__name__}: {error}".splitlines()[0]
            raise PanelError("data", None, None, expected, found, REMEDY) from error
        ways = self._ways(frame, given)
        if not ways or given.columns.empty:
            expected = f"the {len(self.labels):,} rows that the fit used, by label"
            found = f"{len(frame):,} rows with other labels"
            if ways:
                expected, found = "the outcome or a regressor of the fit, by name", "none of them"
            raise PanelError("data", None, None, expected, found, REMEDY)
        differing = [self._first_difference(given, places) for places in ways]
        sides = [
            tuple(frame[name].to_numpy()[places] for name in unit)
            for places, difference in zip(ways, differing, strict=True)
            if difference is None
        ]
        if not sides:
            raise differing[0]
        for other in sides[1:]:
            if not all(map(np.array_equal, sides[0], other)):
                found = "other units by the labels of the rows than by their places"
                raise PanelError("data", None, None, "units that are certain", found, REMEDY)
        return sides[0]

    def _ways(self, frame: pd.DataFrame, given: pd.DataFrame) -> list[np.ndarray]:
        """Return the places in the frame that the rows of the fit may have, in each way to match
        them.
        """
        ways = []
        if self.n_given is None:
            # labels may occur twice if all rows have the order that they had
            complete = np.flatnonzero(given.notna().all(axis=1))
            if frame.index[complete].equals(self.labels):
                return [complete]
        elif len(frame) == self.n_given:
            ways.append(np.asarray(self.labels))
        by_label = self._by_label(frame.index)
        if by_label is not None and not (ways and np.array_equal(ways[0], by_label)):
            ways.append(by_label)
        return ways

    def _by_label(self, index: pd.Index) -> np.ndarray | None:
        """Return where an index has the labels of the fit's rows, None if that is not certain."""
        if index.equals(self.labels):
            return np.arange(len(index))
        if not index.is_unique:
            return None
        places = index.get_indexer(self.labels)
        if (places < 0).any():
            return None
        return places

    def _is_index_of_fit(self, index: pd.Index) -> bool:
        """Whether an index may be that of the fitted frame, or of the rows of it that were used.

        Labels alone do not tell: where rows were left out before the fit and the rest was numbered
        anew, the index of all rows has the same labels for other rows.
        """
        if self.n_given is not None:
            return index.equals(self.labels) or index.equals(pd.RangeIndex(self.n_given))
        lengths = [len(self.labels)]
        if self.frame is not None:
            lengths.append(len(self.frame))
        return len(index) in lengths

    def _first_difference(self, given: pd.DataFrame, places: np.ndarray) -> PanelError | None:
        """Return the error that names a row whose value is not that of the fit, if there is one."""
        for name in given.columns:
            kept = self.values[name].to_numpy(dtype=float)
            found = given[name].to_numpy(dtype=float, na_value=np.nan)[places]
            differs = ~(np.abs(found - kept) <= SAME * np.abs(kept).max())
            if differs.any():
                row = int(np.argmax(differs))
                expected = f"{kept[row]:.6g}, which the fit used in its row {row + 1}"
                return PanelError(
                    "data", int(places[row]) + 1, name, expected, f"{found[row]:.6g}", REMEDY
                )
        return None


def named_values(values: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the numeric columns of a frame that have the names of values of a fit."""
    columns = [*values.columns, *frame.columns]
    # once among the values and once in the frame
    names = [name for name in values.columns if columns.count(name) == 2 and name in frame.columns]
    return frame[names].select_dtypes(["number", "bool"])
