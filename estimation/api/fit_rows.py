"""Match the rows of a frame or a series to the rows of a fit of another package."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ..panel.panel_error import PanelError, refused

# relative to the largest value of a column
SAME = 1e-9
# rows by which columns are compared first
HEAD = 1000
IN_ORDER = "give two arrays in the order of the fit's rows, without those that it dropped"
REMEDY = f"give data= as it was when it was fitted, or {IN_ORDER.removeprefix('give ')}"


@dataclass(frozen=True)
class FitRows:
    """The n rows that a fit used.

    A row of a frame is a row of the fit if it has the same label and the frame gives the values
    that the fit used. A row of a series needs the same label, which must occur once; the series
    must have as many rows as the fit used, or as the frame has that the fit keeps. A fit that
    numbers the rows of its frame anew has places instead of labels: then a frame must give the same
    values by place or by label, and a series the same ids as the fit's column of its name, as the
    labels 0, 1, 2, ... may be those of a frame in another order. A fit to arrays has only places,
    and a series has to be numbered 0, 1, 2, ... itself.

    Values do not tell rows apart that have the same ones. Where such rows have different units, a
    frame is taken by its labels if these are more than a count of its rows. If they are a count, or
    the fit has no labels and those of the frame increase, it is taken by place, provided that all
    values could be compared. Else it is refused.

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
    is_renumbered : bool
        Whether the labels of the fitted frame were lost.
    """

    labels: pd.Index
    n_given: int | None
    values: pd.DataFrame
    values_in: Callable[[pd.DataFrame], pd.DataFrame] = field(repr=False)
    frame: Any = field(default=None, repr=False)
    is_renumbered: bool = False

    def units(self, unit: Sequence[Any], data: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """Return the two units of each row, (n,) each.

        Raises
        ------
        PanelError
            If a row of the fit cannot be matched with one of the frame or series.
        """
        are_two = isinstance(unit, tuple | list | np.ndarray) and len(unit) == 2
        are_names = are_two and all(isinstance(name, str) for name in unit)
        are_arrays = are_two and all(np.ndim(side) == 1 for side in unit)
        if not (are_arrays or (are_names and unit[0] != unit[1])):
            expected = "two names of columns, or two arrays"
            raise refused("unit", expected, unit, "give unit=(first, second)")
        if not are_names:
            return self._in_order(unit[0]), self._in_order(unit[1])
        frame = self.frame if data is None else data
        remedy = "give data=, the frame it was fitted on"
        if self.is_renumbered and self.frame is None:
            frame = None
            remedy = f"fit again without store_data=False, or {IN_ORDER}"
        if frame is None:
            expected = f"the columns {unit}"
            raise PanelError("fit", None, None, expected, "a fit without its data", remedy)
        frame = as_pandas(frame)
        for name in unit:
            if list(frame.columns).count(name) != 1:
                found = f"only {', '.join(map(str, frame.columns))}"
                remedy = "name others, or give data="
                raise PanelError("data", None, name, "it once in the fit's data", found, remedy)
        return self._in_frame(unit, frame)

    def _in_order(self, side: Any) -> np.ndarray:
        """Return the values of a series by label, those of an array in their own order."""
        if isinstance(side, pd.Series) and self.is_renumbered:
            side = self._as_kept(side)
        elif isinstance(side, pd.Series):
            places = None
            # rows of the same label could have changed places
            if side.index.is_unique:
                places = self._by_label(side.index)
            if places is None or not self._is_index_of_fit(side.index):
                expected = (
                    f"a series whose index has the labels of the fit's {len(self.labels):,} rows"
                )
                found = self._other_labels(side.index)
                raise PanelError("unit", None, side.name, expected, found, IN_ORDER)
            side = side.iloc[places]
            self._require_as_kept(side)
        values = np.asarray(side)
        if values.shape != self.labels.shape:
            expected = f"a unit for each of the {len(self.labels):,} rows that the fit used"
            raise PanelError("unit", None, None, expected, f"shape {values.shape}", IN_ORDER)
        if not isinstance(side, pd.Series):
            self._require_as_kept(values)
        return values

    def _require_as_kept(self, side: Any) -> None:
        """Raise a PanelError if the units of a series are not, row by row, those of the column of
        its name in the frame that the fit keeps, or if an array has exactly the values of a column
        in another order.
        """
        has_index = isinstance(self.frame, pd.DataFrame)
        places = self._by_label(self.frame.index) if has_index else None
        if places is None:
            return
        kept = list(self.frame.iloc[places].items())
        # units by other names, such as their numbers, are the same ones
        groups = pd.factorize(side)[0]
        if isinstance(side, pd.Series):
            kept = [(name, column) for name, column in kept if name == side.name]
        for _, column in kept:
            # the first rows tell most columns apart, and sooner
            if np.array_equal(pd.factorize(column[:HEAD])[0], groups[:HEAD]) and np.array_equal(
                pd.factorize(column)[0], groups
            ):
                if self._is_changed(places):
                    expected = "a frame that is as it was when it was fitted"
                    found = "one that was sorted or changed since, and its units with it"
                    raise PanelError("fit", None, None, expected, found, REMEDY)
                return
        own = [
            str(name)
            for name, column in kept
            if isinstance(side, pd.Series) or _in_any_order(column) == _in_any_order(side)
        ]
        if own and not self._is_changed(places):
            expected = f"the units of the fit's own column {own[0]}, in the rows that have them"
            raise PanelError("unit", None, own[0], expected, "others", IN_ORDER)

    def _as_kept(self, side: pd.Series) -> pd.Series:
        """Return the rows of a series that are those of the fit, if the fit keeps its values."""
        if self.frame is None or side.name not in self.frame.columns:
            expected = "a column that the fit keeps, as pyfixest drops the labels of rows"
            raise PanelError("unit", None, side.name, expected, "another series", REMEDY)
        kept = self.frame.loc[self.labels, side.name].reset_index(drop=True)
        ways = [self._by_label(side.index)]
        if len(side) == self.n_given:
            ways.append(np.asarray(self.labels))
        if len(side) == len(kept):
            ways.append(np.arange(len(kept)))
        for places in ways:
            if places is None:
                continue
            found = side.iloc[places].reset_index(drop=True)
            if is_same(kept, found).all() or kept.astype(str).equals(found.astype(str)):
                return found
        expected = f"the values of the fit's own column {side.name}, in the order of its rows"
        raise PanelError("unit", None, side.name, expected, "others, or another order", REMEDY)

    def _in_frame(self, unit: Sequence[str], frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return two columns by the rows of the fit, if the frame has the values that it used."""
        given = self._given(frame)
        ways = self._ways(frame, given)
        if not ways or given.columns.empty:
            expected = f"the {len(self.labels):,} rows that the fit used, by label"
            found = self._other_labels(frame.index)
            if ways:
                expected, found = "the outcome or a regressor of the fit, by name", "none of them"
            raise PanelError("data", None, None, expected, found, REMEDY)
        differing = []
        matched = []
        for places in ways:
            difference = self._difference(frame, given, places)
            if difference is None:
                matched.append(places)
            else:
                differing.append(difference)
        if not matched:
            raise differing[0]
        both = frame[list(unit)].set_axis(["first", "second"], axis=1).reset_index(drop=True)
        # the last one is by label, if there are two
        units = both.iloc[matched[-1]]
        if not units.reset_index(drop=True).equals(both.iloc[matched[0]].reset_index(drop=True)):
            found = "other units by the labels of the rows than by their places"
            raise PanelError("data", None, None, "units that are certain", found, REMEDY)
        if frame is not self.frame:
            self._require_certain(frame, given, matched[-1], units)
        return units["first"].to_numpy(), units["second"].to_numpy()

    def _given(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the values of the fit that a frame gives; raise a PanelError if it cannot."""
        try:
            return self.values_in(frame)
        except Exception as error:
            expected = "a frame in which the fit's formula can be computed again"
            found = f"{type(error).__name__}: {error}".splitlines()[0]
            raise PanelError("data", None, None, expected, found, REMEDY) from error

    def _is_changed(self, places: np.ndarray) -> bool:
        """Return whether the frame that the fit keeps has, in these rows, other values than it
        used.
        """
        try:
            given = self._given(self.frame)
        except PanelError:
            # nothing to compare with
            return False
        return _first_difference(self.values, given, places) is not None

    def _has_frame_besides(self, frame: pd.DataFrame) -> bool:
        """Return whether the fit has a copy of its frame, with places as labels, to compare another
        with.

        A frame that a fit with labels keeps is not a copy, and may have been changed since.
        """
        return self.n_given is not None and self.frame is not None and frame is not self.frame

    def _difference(
        self, frame: pd.DataFrame, given: pd.DataFrame, places: np.ndarray
    ) -> PanelError | None:
        """Return the error that names a row that is not that of the fit, if there is one."""
        difference = _first_difference(self.values, given, places)
        if difference is None and self._has_frame_besides(frame):
            difference = _first_difference(self.frame.loc[self.labels], frame, places)
        return difference

    def _require_certain(
        self, frame: pd.DataFrame, given: pd.DataFrame, places: np.ndarray, units: pd.DataFrame
    ) -> None:
        """Raise a PanelError if rows with the same values have different units, and neither the
        labels nor the order of the frame tell which is which.
        """
        if self._is_by_label(frame.index, places):
            return
        kept = self.values
        compared = given
        if self._has_frame_besides(frame):
            kept = self.frame
            compared = frame
        names = kept.columns.intersection(compared.columns)
        missing = [
            name for name in kept.columns.difference(names) if kept[name].nunique(dropna=False) > 1
        ]
        if frame.index.is_unique and frame.index.is_monotonic_increasing and not missing:
            return
        values = compared[names].iloc[places].reset_index(drop=True)
        values.columns = range(values.shape[1])
        if self.n_given is None and not _is_count(frame.index):
            # labels that occur twice
            values["label"] = self.labels.to_numpy()
        pairs = _group_numbers(units)
        differs = _first_by_group(pairs, _group_numbers(values)) != pairs
        if differs.any():
            expected = "values that tell rows of different units apart, where labels do not"
            found = "the values of another row"
            if missing:
                found = f"{found} (column {missing[0]} cannot be compared)"
            row = int(places[np.argmax(differs)]) + 1
            raise PanelError("data", row, None, expected, found, IN_ORDER)

    def _is_by_label(self, index: pd.Index, places: np.ndarray) -> bool:
        """Return whether labels that are more than a count of rows say that they are at these
        places.
        """
        if self.n_given is None:
            return index.is_unique and not _is_count(index)
        by_label = self._by_label(index)
        if by_label is None or index.is_monotonic_increasing:
            return False
        return np.array_equal(by_label, places)

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
        # a label that occurs twice, in either, does not tell its rows apart
        if not (index.is_unique and self.labels.is_unique):
            return None
        places = index.get_indexer(self.labels)
        if (places < 0).any():
            return None
        return places

    def _other_labels(self, index: pd.Index) -> str:
        """Return what an index has instead of the labels of the fit's rows."""
        if not index.is_unique:
            return "labels that occur twice"
        if not self.labels.is_unique:
            return "a fit of rows whose labels occur twice"
        is_lacking = index.get_indexer(self.labels) < 0
        if is_lacking.any():
            label = self.labels[is_lacking][:1].to_frame().to_numpy()[0]
            return f"{len(index):,} rows, none of them labelled {', '.join(map(str, label))}"
        if len(index) == len(self.labels):
            return "the same labels in another order, for a fit that keeps none"
        return f"{len(index):,} rows with these labels and others"

    def _is_index_of_fit(self, index: pd.Index) -> bool:
        """Return whether an index may be that of the fitted frame, or of the rows of it that were
        used.

        Labels alone do not tell: where rows were left out before the fit and the rest was numbered
        anew, the index of all rows has the same labels for other rows.
        """
        if self.n_given is not None:
            return index.equals(self.labels) or index.equals(pd.RangeIndex(self.n_given))
        lengths = [len(self.labels)]
        if self.frame is not None:
            lengths.append(len(self.frame))
        return len(index) in lengths


def as_pandas(frame: Any) -> pd.DataFrame:
    """Return a frame of pandas or polars as one of pandas."""
    if hasattr(frame, "to_pandas"):
        frame = frame.to_pandas()
    if not isinstance(frame, pd.DataFrame):
        found = type(frame).__name__
        raise PanelError("data", None, None, "a pandas or polars frame", found, "convert it")
    return frame


def _first_difference(
    kept: pd.DataFrame, given: pd.DataFrame, places: np.ndarray
) -> PanelError | None:
    """Return the error that names a row whose value is not the one that was kept, if there is one,
    of the columns that both have.
    """
    for name in kept.columns.intersection(given.columns):
        ours = kept[name].reset_index(drop=True)
        theirs = given[name].iloc[places].reset_index(drop=True)
        differs = ~is_same(ours, theirs)
        if differs.any():
            row = int(np.argmax(differs))
            expected = f"{_shown(ours[row])}, which the fit used in its row {row + 1}"
            found = _shown(theirs[row])
            return PanelError("data", int(places[row]) + 1, name, expected, found, REMEDY)
    return None


def _in_any_order(values: Any) -> tuple[str, int]:
    """Return the kind of values, and a number that does not depend on their order."""
    array = np.asarray(values)
    kind = pd.api.types.infer_dtype(array)
    if kind == "mixed":
        array = array.astype(str)
    return kind, int(pd.util.hash_array(pd.Series(array).to_numpy()).sum(dtype=np.uint64))


def _is_count(index: pd.Index) -> bool:
    """Return whether an index is 0, 1, 2, ..., as that of a frame that was numbered anew."""
    return index.equals(pd.RangeIndex(len(index)))


def _group_numbers(frame: pd.DataFrame) -> np.ndarray:
    """Return a number for each row, (n,), which rows with the same values share."""
    groups = frame.groupby(list(frame.columns), dropna=False, observed=True, sort=False)
    return groups.ngroup().to_numpy()


def _first_by_group(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return for each row the first value of its group, (n,)."""
    return pd.Series(values).groupby(groups).transform("first").to_numpy()


def is_same(kept: pd.Series, found: pd.Series) -> np.ndarray:
    """Return where two columns are the same, (n,); blanks are, and numbers up to rounding."""
    kinds = pd.api.types
    if kinds.is_numeric_dtype(kept) and kinds.is_numeric_dtype(found):
        ours = kept.to_numpy(dtype=float, na_value=np.nan)
        theirs = found.to_numpy(dtype=float, na_value=np.nan)
        finite = np.abs(ours[np.isfinite(ours)])
        near = np.abs(theirs - ours) <= SAME * finite.max(initial=0.0)
        return near | (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    ours = kept.astype(object).where(kept.notna(), None).to_numpy()
    theirs = found.astype(object).where(found.notna(), None).to_numpy()
    return np.asarray(ours == theirs, dtype=bool)


def _shown(value: Any) -> str:
    if isinstance(value, float | int | np.number):
        return f"{value:.6g}"
    return str(value)


def named_values(values: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the numeric columns of a frame that have the names of values of a fit."""
    columns = [*values.columns, *frame.columns]
    # once among the values and once in the frame
    names = [name for name in values.columns if columns.count(name) == 2 and name in frame.columns]
    return frame[names].select_dtypes(["number", "bool"])
