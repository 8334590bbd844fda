"""The layout model: what a source's files look like, as data. One YAML per source; a change between
editions is one more table entry.

Not here: how a layout file is loaded and what is said of a wrong one (`layouts`), how a delivered
file is read by it (`sheets/`), and how one is drafted for an unknown source (`drafting/`). Every
key: docs/layouts.md.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cached_property
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from warehouse.ingest.cells.cell_values import DEFAULT_MISSING


def _valid_regex(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


def _one_group(pattern: str) -> str:
    if re.compile(_valid_regex(pattern)).groups != 1:
        raise ValueError("the pattern must have exactly one group ( )")
    return pattern


Regex = Annotated[str, AfterValidator(_valid_regex)]
GroupRegex = Annotated[str, AfterValidator(_one_group)]
#: A header, or a list of its wordings.
Wordings = str | list[str]
Letter = Annotated[str, Field(pattern="^[A-Z]{1,3}$")]
Reason = Annotated[str, Field(min_length=5)]
IndicatorId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class _Model(BaseModel):
    """A part of a layout; of the keys in ``ways``, where there are any, exactly one is given."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    ways: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        given = [name for name in self.ways if getattr(self, name) not in (None, [])]
        if self.ways and len(given) != 1:
            found = " and ".join(given) or "none of them"
            raise ValueError(f"give one of {', '.join(self.ways)}; given: {found}")
        return self


class IgnoredFile(_Model):
    """Files that hold no data: a glob on the path inside the source's folder (without an edition
    folder) and why.
    """

    pattern: str
    reason: Reason


class EditionYear(_Model):
    """Edition year of files outside an edition folder: the only group of a pattern in the file's
    name plus ``offset``, or ``fixed``.
    """

    ways = ("file_name", "fixed")
    file_name: GroupRegex | None = None
    offset: int = 0
    fixed: int | None = Field(default=None, ge=1900, le=2100)


class SheetSelector(_Model):
    """Sheets of a table: by exact name, by pattern on the whole name, or by position from 0.

    A named sheet must exist.
    """

    names: list[str] = []
    pattern: Regex | None = None
    index: list[int] = []


class IgnoredSheet(_Model):
    """Sheets without data: exact name or pattern on the whole name, and why."""

    name: str | None = None
    pattern: Regex | None = None
    reason: Reason


class Header(_Model):
    """Where the header stands: a 1-based row, or the first of ``search_rows`` rows that holds all
    cells of ``find``.

    A header of several ``rows`` is read as one: a merged cell stands for all columns it spans
    (those with a text below it), and the texts of a column are joined from top to bottom with
    ``|``, such as ``年末总人口(万人)|全市``.

    ``after`` is a pattern: the header is looked for below the first row with a cell that it finds,
    such as the title of a second table in the sheet. ``unit_row`` says where a row of units stands:
    1 is the first row under the header, -1 the one above it.
    """

    ways = ("row", "find")
    row: int | None = Field(default=None, ge=1)
    rows: int = Field(default=1, ge=1, le=10)
    find: list[str] = []
    search_rows: int = Field(default=30, ge=1, le=1000)
    after: Regex | None = None
    unit_row: int | None = Field(default=None, ge=-5, le=5)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.after is not None and not self.find:
            raise ValueError("after says where the search for a header begins: it needs find")
        if self.unit_row == 0:
            raise ValueError(
                "unit_row counts from the header: 1 is the first row under it, -1 the one above it"
            )
        return self


class TableEnd(_Model):
    """Where a table ends above the sheet's end: at the first row with a cell that ``matches`` finds
    (in ``column``, or in any with ``*``), or at the first run of ``blank_rows`` rows without
    anything. What lies below is another table's, or reported as not read."""

    ways = ("matches", "blank_rows")
    matches: Regex | None = None
    column: str = "*"
    blank_rows: int | None = Field(default=None, ge=1, le=100)


class Within(_Model):
    """The province in which a name is to be looked up: a ``column``, the group of a pattern in the
    ``sheet_name`` or in a ``title``, or, found in the column of names, in a ``row`` above.
    """

    ways = ("column", "sheet_name", "title", "row")
    column: Wordings | None = None
    sheet_name: GroupRegex | None = None
    title: GroupRegex | None = None
    row: GroupRegex | None = None


class LookedUp(_Model):
    """A number or short name of the place that another ``sheet`` of the file explains.

    ``key`` is the column here, ``sheet_key`` the same column there (where its header differs),
    ``name`` and ``code`` what is taken from there; the other sheet's header is in its ``row``.
    """

    sheet: str
    key: str
    sheet_key: str | None = None
    name: str | None = None
    code: str | None = None
    row: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.name is None and self.code is None:
            raise ValueError(
                "give the column of the name, of the code, or both, in the other sheet"
            )
        return self


class Place(_Model):
    """Where the place stands; ``level`` is what it denotes.

    Columns (``code``, ``name``; by ``code_letter``, ``name_letter`` where they have no header), a
    ``title`` above the header (a pattern whose only group is the name), header cells that are
    places (``columns``, such a pattern too), or another sheet (``looked_up``). A country needs
    none. With ``fill_down`` a blank place cell repeats the one above it, as in merged cells. The
    group of ``name_pattern`` is the part of a cell that is the name; with ``fill_down``, a cell
    without any counts as blank. ``respell`` maps names that this source misprints to the right
    ones; a spelling that others use too belongs into the seed of aliases. ``within`` says in which
    province a name is to be looked up.
    """

    level: Literal["city", "province", "country"]
    code: Wordings | None = None
    name: Wordings | None = None
    code_letter: Letter | None = None
    name_letter: Letter | None = None
    title: GroupRegex | None = None
    columns: GroupRegex | None = None
    looked_up: LookedUp | None = None
    within: Within | None = None
    fill_down: bool = False
    name_pattern: GroupRegex | None = None
    respell: dict[str, str] = {}

    @model_validator(mode="after")
    def _some_column(self) -> Self:
        if (self.code and self.code_letter) or (self.name and self.name_letter):
            raise ValueError("give a column by its header or by its letter, not both")
        has_column = any((self.code, self.name, self.code_letter, self.name_letter))
        ways = [
            has_column,
            self.title is not None,
            self.columns is not None,
            self.looked_up is not None,
        ]
        if sum(ways) > 1:
            raise ValueError(
                "give either title (a pattern for the rows above the header) or columns of the "
                "place, not both; nor columns (places as headers) or looked_up beside them"
            )
        if self.name_pattern is not None and self.name is None and self.name_letter is None:
            raise ValueError("name_pattern finds a name in a cell: it needs name or name_letter")
        if self.level != "country" and not any(ways):
            raise ValueError(
                "give the column of the code, of the name, or both, or the title that names the "
                "place, or columns or looked_up"
            )
        return self


class Year(_Model):
    """The year: one of seven ways.

    A column (``column``, or ``letter`` where it has no header; ``fill_down`` repeats the year above
    a blank cell, and the group of ``pattern`` is the part of a cell that is the year), header cells
    that are years (``columns``, a pattern whose only group is the year), the group of a pattern in
    the ``sheet_name`` or in a ``title`` above the header, a ``constant``, or edition plus offset.
    """

    ways = ("column", "letter", "columns", "sheet_name", "title", "constant", "edition_offset")
    column: Wordings | None = None
    letter: Letter | None = None
    columns: GroupRegex | None = None
    sheet_name: GroupRegex | None = None
    title: GroupRegex | None = None
    constant: int | None = Field(default=None, ge=1900, le=2100)
    edition_offset: int | None = Field(default=None, ge=-10, le=10)
    fill_down: bool = False
    pattern: GroupRegex | None = None

    @model_validator(mode="after")
    def _of_a_column(self) -> Self:
        if (self.fill_down or self.pattern) and self.column is None and self.letter is None:
            raise ValueError("fill_down and pattern are for the year of a column or letter")
        return self


class UnitRule(_Model):
    """Unit of a value: fixed (``unit``), the group of a pattern in the header (``unit_pattern``),
    or a column (``unit_column``).
    """

    unit: str | None = None
    unit_pattern: GroupRegex | None = None
    unit_column: Wordings | None = None

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        if sum(way is not None for way in (self.unit, self.unit_pattern, self.unit_column)) > 1:
            raise ValueError("give at most one of unit, unit_pattern and unit_column")
        return self


class RowRule(_Model):
    """Rows that are not data (advertisement, subtotal, note): pattern searched in a named column,
    or in every cell with ``*``.
    """

    column: Wordings
    matches: Regex
    reason: Reason


class LeftOutWhere(RowRule):
    """Cells of one column of values that are not taken, by another cell of their row: a flag such
    as 'imputed', or the year.
    """


class OtherIdWhere(_Model):
    """Cells of a column of values that are another indicator, by another cell of their row: a
    column whose definition changes in some year.
    """

    column: Wordings
    matches: Regex
    id: IndicatorId


class Indicator(UnitRule):
    """A column of values: its header (exact after normalising; alternatives in a list), a pattern
    on the whole header, or its letter where it has no header. Of several columns with one header,
    ``letter`` beside ``column`` says which.

    ``files`` (globs) limits the rule to editions whose header differs; ``zero_is_missing`` says why
    a zero is no value here, ``left_out_where`` which rows hold no delivered value of this
    indicator although they hold one of another, and ``other_id_where`` in which rows the column is
    another indicator.
    """

    id: IndicatorId
    column: str | list[str] | None = None
    pattern: Regex | None = None
    letter: Letter | None = None
    optional: bool = False
    files: list[str] = []
    zero_is_missing: Reason | None = None
    left_out_where: LeftOutWhere | None = None
    other_id_where: OtherIdWhere | None = None

    @model_validator(mode="after")
    def _one_header(self) -> Self:
        if sum(way is not None for way in (self.pattern, self.column or self.letter)) != 1:
            raise ValueError(
                "give either column (header text, or a list of its wordings) or pattern, or letter "
                "(a column without header; beside column: which of several with that header)"
            )
        if self.letter is not None and self.column is None and self.unit_pattern is not None:
            raise ValueError("a column without header has no unit in it: give unit or unit_column")
        return self

    @property
    def columns(self) -> list[str]:
        """Accepted header wordings; empty when a pattern is given."""
        return [self.column] if isinstance(self.column, str) else list(self.column or [])


class SheetIndicator(UnitRule):
    """The indicator of a whole sheet whose columns are years; ``unit_pattern`` is searched in the
    rows above the header.
    """

    id: IndicatorId
    optional: bool = False


class RowIndicators(_Model):
    """Indicators in rows instead of columns: ``column`` holds their names, and the rules compare
    its cells like headers.

    Where the place or the year is in a column too, an indicator has a row for each; else it has
    one row, and a second one is a fault. ``value`` is the column of the values where neither years
    nor places are headers (one value a row), ``unit_column`` that of the units.
    """

    column: Wordings
    value: Wordings | None = None
    unit_column: Wordings | None = None
    fill_down: bool = False
    indicators: list[Indicator] = Field(min_length=1)

    @model_validator(mode="after")
    def _whole_rows(self) -> Self:
        if any(indicator.letter is not None for indicator in self.indicators):
            raise ValueError(
                "a row is known by its label: give column (its wordings) or pattern, not letter"
            )
        for indicator in self.indicators:
            if indicator.left_out_where is not None or indicator.other_id_where is not None:
                raise ValueError(
                    "left_out_where and other_id_where work on columns of values; leave whole rows "
                    "out by drop_rows"
                )
        return self


class IgnoredColumn(_Model):
    """A column left out knowingly: header, pattern on the whole header, or ``letter`` where it has
    no header, and why.

    Of several columns with one header, ``letter`` beside ``column`` says which.
    """

    column: Wordings | None = None
    pattern: Regex | None = None
    letter: Letter | None = None
    reason: Reason


class CellRule(_Model):
    """Stray texts outside every named column that are not data, such as an advertisement beside the
    table.
    """

    matches: Regex
    reason: Reason


class Table(_Model):
    """One kind of table: which files and sheets hold it and what their columns mean.

    ``span`` limits it to columns such as ``A:C``, for two tables side by side; ``ends`` to the rows
    above some row, for two below another. ``hidden`` takes hidden
    rows and sheets too. Patterns and headers are compared in normal form: without
    white space, full-width signs made half-width.
    """

    files: list[str] = Field(min_length=1)
    encoding: Literal["utf-8", "gb18030"] | None = None
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    sheets: SheetSelector | None = None
    ignore_sheets: list[IgnoredSheet] = []
    header: Header = Header(row=1)
    place: Place
    year: Year
    indicators: list[Indicator] = []
    sheet_indicators: dict[str, SheetIndicator] = {}
    row_indicators: RowIndicators | None = None
    ignore_columns: list[IgnoredColumn] = []
    drop_rows: list[RowRule] = []
    stray_cells: list[CellRule] = []
    ends: TableEnd | None = None
    span: Annotated[str, Field(pattern="^[A-Z]{1,3}:[A-Z]{1,3}$")] | None = None
    decimal_comma: bool = False
    hidden: bool = False
    missing_values: list[str] = list(DEFAULT_MISSING)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        ways = [bool(self.sheet_indicators), self.row_indicators is not None]
        across = (
            "years"
            if self.year.columns is not None
            else "places"
            if self.place.columns is not None
            else None
        )
        if self.year.columns is not None and self.place.columns is not None:
            raise ValueError("headers are years or places, not both: give columns to one of them")
        if across and self.row_indicators is not None and self.row_indicators.value is not None:
            raise ValueError(
                f"with {across} as columns the values stand under them: row_indicators takes no "
                "value"
            )
        if across and sum([*ways, bool(self.indicators)]) != 1:
            raise ValueError(
                f"with {across} as columns, either sheet_indicators (sheet name: id, unit) or "
                "row_indicators are needed, or indicators "
                "(what a header holds beside the year or place), and no two of them"
            )
        if across is None and self.row_indicators is not None:
            if self.row_indicators.value is None or self.indicators or self.sheet_indicators:
                raise ValueError(
                    "with one value a row, row_indicators needs value (the column of the values), "
                    "and no other indicators"
                )
        elif across is None and (not self.indicators or any(ways)):
            raise ValueError(
                "without years as columns, indicators are needed; sheet_indicators and "
                "row_indicators are not allowed"
            )
        return self


class Origin(_Model):
    """Where a source comes from, for readers who want to get it, cite it or pass it on.

    No word of it changes how a file is read.
    """

    producer: str
    title: str
    licence: str
    address: str | None = None
    accessed: date | None = None
    citation: str | None = None


class Layout(_Model):
    """Everything known of one source's files."""

    source_id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    description: str
    origin: Origin | None = None
    edition_year: EditionYear | None = None
    edition_folders: bool = False
    ignore_files: list[IgnoredFile] = []
    tables: list[Table] = Field(min_length=1)

    @cached_property
    def content(self) -> dict[str, object]:
        """What reading depends on, as plain values, for a hash: not where the source comes from."""
        return self.model_dump(mode="json", exclude={"origin"})
