"""Which columns of a source hold what of a pair panel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .columns import Source
from .panel_error import require_pair, require_text
from .unit_values import columns_of_sides, named

UNIT, TIME, COHORT = ("city_i_id", "city_j_id"), "year", "cohort_year"
PROVINCES = ("province_i_id", "province_j_id")
CITY_COHORTS = ("city_i_cohort_year", "city_j_cohort_year")


@dataclass(frozen=True)
class PairColumns:
    """The columns of a pair panel: which column holds what.

    Attributes
    ----------
    outcome : str
    unit : (str, str)
        Ids of the two units of a pair, in any order unless `ordered`.
    time : str
        Years, or periods counted from 1.
    cohort : str, (str, str), mapping, series or frame
        First treated period, blank = never: a column for the pair, a column for each unit, or
        values of units beside the panel.
    block : the same, optional
        Group of each unit, for example its province. None: the columns of the contract, where they
        are there.
    controls : tuple of str
    weights : str, optional
        One positive number for each pair.
    exposure : str
        ``one``: a pair is treated when exactly one of its units ever is; ``both``: once both are.
    ordered : bool
        Whether the first id must be the smaller one.
    length : str, optional
        Of a panel of units whose outcome is a mean over several periods: how many a row covers,
        from that of `time` on.
    covariates : tuple of str
        Of a panel of units: numbers that each unit has one of.
    """

    outcome: str
    unit: tuple[str, str] = UNIT
    time: str = TIME
    cohort: Any = COHORT
    block: Any = None
    controls: tuple[str, ...] = ()
    weights: str | None = None
    exposure: str = "one"
    ordered: bool = False
    length: str | None = None
    covariates: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        given = {"outcome": self.outcome, "unit": self.unit[0], "time": self.time}
        for name in ("weights", "length"):
            if getattr(self, name) is not None:
                given[name] = getattr(self, name)
        expected = "the name of a column"
        for name, value in given.items():
            require_text(
                value, name, expected, "add it to the panel as a column, and give its name"
            )
        for name in ("cohort", "block"):
            value = getattr(self, name)
            if isinstance(value, tuple | list):
                if self.is_of_units:
                    require_text(value, name, expected, "a panel of units has one column of them")
                require_pair(value, name, ", or the values by unit as a mapping")

    @property
    def is_of_units(self) -> bool:
        """Whether the panel has rows of units, of which pairs are made."""
        return self.unit[0] == self.unit[1]


@dataclass(frozen=True)
class ResolvedColumns(PairColumns):
    """Columns as they are there: cohort and block are a column, two columns, values beside the
    panel, or None.

    `pilots` are the two columns that name the pilots of a pair whose cohort is given.
    `block_is_asked`: named by the caller.
    """

    pilots: tuple[str, str] | None = None
    block_is_asked: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        """Columns of ids."""
        return (*self.unit, *named(self.block))

    @property
    def needed(self) -> tuple[str, ...]:
        """Every column that is read."""
        weights = () if self.weights is None else (self.weights,)
        of_units = (*named(self.cohort), *named(self.block), *(self.pilots or ()))
        return (*self.unit, self.time, self.outcome, *self.controls, *weights, *of_units)


def resolve_columns(source: Source, columns: PairColumns) -> ResolvedColumns:
    """Return columns of a source that stand for what was named.

    Raises
    ------
    PanelError
        If one column of two that belong together is missing.
    """
    given = dict(vars(columns))
    pilots, is_standard = None, tuple(columns.unit) == UNIT
    if is_standard and isinstance(columns.cohort, str) and columns.cohort == COHORT:
        pilots = _both_or_none(source, CITY_COHORTS)
    if isinstance(columns.cohort, str) and columns.cohort not in source.names:
        given["cohort"] = columns_of_sides(source, columns.cohort, columns.unit) or columns.cohort
    if columns.block is None and is_standard:
        given["block"] = _both_or_none(source, PROVINCES)
    elif isinstance(columns.block, str):
        given["block"] = columns_of_sides(source, columns.block, columns.unit) or columns.block
    return ResolvedColumns(**given, pilots=pilots, block_is_asked=columns.block is not None)


def _both_or_none(source: Source, names: tuple[str, str]) -> tuple[str, str] | None:
    present = [name in source.names for name in names]
    if any(present) and not all(present):
        absent = names[present.index(False)]
        raise source.fail(
            None,
            absent,
            f"it beside {names[present.index(True)]}",
            "no such column",
            "add it or leave both out",
        )
    return names if all(present) else None
