"""Choose the layout's tables that a file has, and the sheet that each reads (pure)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from fnmatch import fnmatchcase
from itertools import chain
from typing import TYPE_CHECKING

from warehouse.ingest.cells.cell_values import ANY_SHEET
from warehouse.ingest.errors import FileFault
from warehouse.ingest.raw_table import build_rejected_line

# a process that parses gets layouts as plain values, and finding a file's tables needs no parser
if TYPE_CHECKING:
    from warehouse.ingest.formats.grids import Grid
    from warehouse.ingest.layout_model import IgnoredSheet, Layout, Table


def tables_for(layout: Layout, path: str) -> list[Table]:
    """Return tables of a layout whose file patterns fit a path, each with the rules for this file
    only.
    """

    def fits(patterns: list[str]) -> bool:
        return any(matches_path(path, pattern) for pattern in patterns)

    chosen = []
    for table in layout.tables:
        if fits(table.files):
            rules = [rule for rule in table.indicators if not rule.files or fits(rule.files)]
            chosen.append(table.model_copy(update={"indicators": rules}))
    return chosen


def matches_path(path: str, pattern: str) -> bool:
    """Return whether a path inside the source's folder fits a glob, case aside; a pattern without
    ``/`` is compared with the file's name only.
    """
    pattern = unicodedata.normalize("NFC", pattern)
    return fnmatchcase(
        (path if "/" in pattern else path.rpartition("/")[2]).casefold(), pattern.casefold()
    )


def missing_sheets(filled: list[tuple[int, Grid]], tables: list[Table]) -> list[FileFault]:
    """Return faults for sheets that a table names, or at least one that it selects, and that are
    absent or blank.
    """
    present = [grid.sheet_name for _, grid in filled]
    found = (
        ", ".join(name or "a table without sheets" for name in present) or "nothing but blank cells"
    )
    faults = []
    for table in tables:
        needed = [
            name
            for name, rule in table.sheet_indicators.items()
            if not rule.optional and name != ANY_SHEET
        ]
        missing = [
            name
            for name in [*(table.sheets.names if table.sheets else ()), *needed]
            if name not in present
        ]
        if missing and present != [None]:
            faults.append(
                FileFault(
                    f"filled sheets {', '.join(missing)}",
                    found,
                    "deliver the missing sheets, or adapt the layout",
                )
            )
        elif not any(claims(table, grid.sheet_name, position) for position, grid in filled):
            faults.append(
                FileFault(
                    "a filled sheet that the layout selects",
                    found,
                    "deliver it, or adapt the layout",
                )
            )
    return faults


def claims(table: Table, sheet_name: str | None, position: int) -> bool:
    """Return whether a table of the layout reads a sheet, by its name or its position in the
    file.
    """
    if sheet_name is None:
        return not table.sheet_indicators or ANY_SHEET in table.sheet_indicators
    if _ignoring_rule(table.ignore_sheets, sheet_name):
        return False
    if table.sheet_indicators:
        return sheet_name in table.sheet_indicators or ANY_SHEET in table.sheet_indicators
    chosen = table.sheets
    if chosen is None:
        return True
    is_named = sheet_name in chosen.names or position in chosen.index
    return is_named or (
        chosen.pattern is not None and re.fullmatch(chosen.pattern, sheet_name) is not None
    )


def _ignoring_rule(rules: Iterable[IgnoredSheet], sheet_name: str) -> IgnoredSheet | None:
    return next(
        (
            rule
            for rule in rules
            if rule.name == sheet_name
            or (rule.pattern is not None and re.fullmatch(rule.pattern, sheet_name))
        ),
        None,
    )


def unread_sheet(grid: Grid, tables: list[Table]) -> dict[str, object]:
    """Return the one line that a sheet gets which no table reads: left out by a rule with its
    reason, or unknown.
    """
    rules = chain.from_iterable(table.ignore_sheets for table in tables)
    rule = _ignoring_rule(rules, grid.sheet_name or "")
    if rule is not None:
        return build_rejected_line(
            "dropped_row",
            f"whole sheet left out by the layout: {rule.reason}",
            sheet_name=grid.sheet_name,
        )
    detail = (
        "expected a sheet that the layout reads or ignores, found another one; add it to the "
        "layout, or to ignore_sheets with a reason"
    )
    return build_rejected_line("dropped_row", detail, sheet_name=grid.sheet_name)
