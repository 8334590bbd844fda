"""Find the rows of a fit that share a unit or a pair, by the ids of their two units."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd

from ..panel.panel_error import PanelError
from ..panel.panel_table import like_ids, note_few_on_both_sides


@dataclass(frozen=True)
class Dyads:
    """Which rows share what: `first` and `second` unit of each row (n,), `pair` without regard to
    direction (n,), `cluster` of the line pair (n,).
    """

    first: np.ndarray
    second: np.ndarray
    pair: np.ndarray
    cluster: np.ndarray
    n_units: int

    @property
    def share_one_unit(self) -> bool:
        """Whether one unit is in every row: the scores of all its rows add up to zero."""
        sides = np.stack([self.first, self.second])
        return any((sides == unit).any(axis=0).all() for unit in sides[:, 0])


def number_dyads(
    first: np.ndarray, second: np.ndarray, *, directed: bool, kinds: int | None
) -> tuple[Dyads, list[str]]:
    """Number units and pairs from the ids of both sides (n,), and return notes on ids.

    Raises
    ------
    PanelError
        If an id is blank, or ids are of several types.
    """
    one, first_ids = _numbered(first)
    two, second_ids = _numbered(second)
    is_detected = kinds is None and _are_of_two_kinds(first_ids, second_ids)
    if kinds == 2 or is_detected:
        two = two + len(first_ids)
        n_units = len(first_ids) + len(second_ids)
        notes = like_ids(first_ids) + like_ids(second_ids)
        if is_detected:
            notes.append("Units are of two kinds, as one side is text and the other is not.")
    else:
        codes, ids = _numbered(_joined(first_ids, second_ids))
        one, two = codes[one], codes[len(first_ids) + two]
        n_units, notes = len(ids), like_ids(ids)
        if kinds is None:
            n_both = len(first_ids) + len(second_ids) - n_units
            notes += note_few_on_both_sides(n_both, n_units, "give kinds=2")
    low, high = np.minimum(one, two), np.maximum(one, two)
    pair = pd.factorize(low * np.int64(n_units) + high)[0]
    cluster = pd.factorize(one * np.int64(n_units) + two)[0] if directed else pair
    return Dyads(one, two, pair, cluster, n_units), notes


def _numbered(side: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number the units of a side from 0, and return their ids, too; a blank is refused."""
    codes, ids = pd.factorize(side)
    blanks = [code for code, value in enumerate(ids) if not str(value).strip()]
    is_blank = np.isin(codes, [-1, *blanks])
    if is_blank.any():
        row = int(np.argmax(is_blank)) + 1
        expected = "an id in every row that the fit used"
        raise PanelError("unit", row, None, expected, "a blank", "leave the row out of the fit")
    if np.asarray(ids).dtype.kind == "f" and np.abs(ids).max() >= 2**53:
        found = f"{np.abs(ids).max():.17g} in a column of floats, which rounds such numbers"
        raise PanelError("unit", None, None, "ids below 2^53", found, "give integers or text")
    types = sorted(set(map(type_of, ids)))
    if len(types) > 1:
        remedy = "give all ids one type, or kinds=2 where the sides are of different kinds"
        raise PanelError("unit", None, None, "ids of one type", " and ".join(types), remedy)
    return codes, np.asarray(ids)


def type_of(value: Any) -> str:
    """Return what an id is: text, a number, or of another type, such as a date."""
    if isinstance(value, str):
        return "text"
    if isinstance(value, Number):
        return "numbers"
    zone = " with a time zone" if getattr(value, "tzinfo", None) else ""
    return f"{type(value).__name__}{zone}"


def _are_of_two_kinds(first_ids: np.ndarray, second_ids: np.ndarray) -> bool:
    """Return whether one side has text, the other has none, and no id of one looks like one of the
    other.

    A text that looks like a number of the other side may be the same unit, read in otherwise.
    """
    texts, others = first_ids, second_ids
    if not isinstance(texts[0], str):
        texts, others = others, texts
    if not isinstance(texts[0], str) or isinstance(others[0], str):
        return False
    numbers = pd.to_numeric(pd.Series(others), errors="coerce")
    read = pd.to_numeric(pd.Series(texts), errors="coerce").dropna()
    return not read.isin(numbers).any()


def _joined(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    if first.dtype != second.dtype:
        # numpy would make text of numbers, floats of two types of them, which merges long ids, and
        # counts of nanoseconds of dates
        first, second = (pd.Index(side).astype(object).to_numpy() for side in (first, second))
    return np.concatenate([first, second])
