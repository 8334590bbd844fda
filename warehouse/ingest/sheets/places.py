"""Places given as keys that another sheet of the file explains (pure)."""

from __future__ import annotations

from collections.abc import Mapping

from warehouse.ingest.cells.cell_values import cell_text, code_text, normal_header
from warehouse.ingest.formats.grids import Grid
from warehouse.ingest.layouts import LookedUp
from warehouse.ingest.sheets.finder import Finder, join_headers

Lookup = dict[str, tuple[str | None, str | None]]


def read_lookup(rule: LookedUp | None, sheets: Mapping[str, Grid], finder: Finder) -> Lookup:
    """Code and name by key, as another sheet of the file lists them; what is missing there, and a
    key with two places, is a fault.
    """
    if rule is None:
        return {}
    grid = sheets.get(rule.sheet)
    if grid is None or len(grid.rows) < rule.row:
        finder.faults.append(
            (
                f"a sheet {rule.sheet!r} that explains {rule.key}",
                f"sheets {', '.join(sheets) or 'none'}",
            )
        )
        return {}
    headers = join_headers(grid, rule.row - 1, rule.row)[0]
    cols = {}
    for what, column in (
        ("key", rule.sheet_key or rule.key),
        ("code", rule.code),
        ("name", rule.name),
    ):
        if column is not None and headers.count(normal_header(column)) != 1:
            finder.faults.append(
                (
                    f"the column {column} once in sheet {rule.sheet!r}",
                    f"{', '.join(filter(None, headers))[:200]}",
                )
            )
        elif column is not None:
            cols[what] = headers.index(normal_header(column))
    return {} if finder.faults else _pairs(grid, rule, cols, finder)


def _pairs(grid: Grid, rule: LookedUp, cols: Mapping[str, int], finder: Finder) -> Lookup:
    found: Lookup = {}
    for row in grid.rows[rule.row :]:
        texts = {
            what: code_text(cell_text(row[col])) if col < len(row) else ""
            for what, col in cols.items()
        }
        key = texts["key"]
        if not key:
            continue
        pair = (texts.get("code") or None, texts.get("name") or None)
        if found.setdefault(key, pair) != pair:
            finder.faults.append(
                (f"one place for {key!r} in sheet {rule.sheet!r}", f"{found[key]} and {pair}")
            )
            break
    return found
