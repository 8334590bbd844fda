"""`citysync correct`: one delivered figure put right, with its evidence, in the seed
`value_corrections`; or a correction taken back.
"""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

import duckdb

from orchestration.home import REPO, Home
from orchestration.terminal import Exit, end_command, say
from warehouse.errors import Refused
from warehouse.publication.foreign import DATABASE, open_foreign
from warehouse.whole_files import write_whole

SEED = REPO / "warehouse" / "seeds" / "value_corrections.csv"
#: What says which delivered number a row of the seed is for, and what else it holds.
KEY = ("source_id", "file_name", "city_id", "year", "indicator_id", "delivered_value")
COLUMNS = (*KEY, "corrected_value", "reason", "evidence")
#: Two figures are one where they differ by less: one of them may be rounded.
SAME = 0.0005

PLACES = """
select city_id, city_name_zh, city_name_en from marts.dim_city
where cast(city_id as varchar) = $1 or rtrim(city_name_zh, '市') = rtrim($1, '市')
    or lower($1) in (lower(city_name_en), lower(split_part(city_name_en, ' (', 1)))
"""
CELLS = """
select source_id, file_name, coalesce(sheet_name || '!', '') || cell_ref as cell, value_delivered,
    coalesce(unit_delivered, unit) as unit_delivered, "value", is_current, quality_flag,
    coalesce(quality_rule, '') as quality_rule
from marts.fct_indicator_observation
where city_id = $1 and "year" = $2 and indicator_id = $3
order by priority, source_id, file_name, cell_ref
"""
BESIDE = """
select "year", "value" from marts.fct_indicator_observation
where city_id = $1 and "year" between $2 - 1 and $2 + 1 and indicator_id = $3 and is_current
order by "year"
"""
# canonical per delivered unit, as the column's other cells are converted
FACTOR = """
select median("value" / value_delivered) from marts.fct_indicator_observation
where source_id = $1 and file_name = $2 and indicator_id = $3
    and coalesce(unit_delivered, unit) = $4 and value_delivered <> 0
"""
FILES = "select distinct source_id || '/' || file_name from marts.fct_indicator_observation"
EVIDENCE = """
select cell_ref, city_id, "year", "value" from marts.fct_indicator_observation
where source_id || '/' || file_name = $1 and indicator_id = $2
"""


class NoCorrection(Refused):
    """What was given is no correction of a delivered cell; the message says what was expected."""


def correct(
    city: str | None,
    indicator: str | None,
    year: str | None,
    wrong: str | None,
    right: str | None,
    evidence: str | None,
    reason: str | None = None,
    withdraw: bool = False,
) -> int:
    """Check a correction against the delivered cells of the publication, and write the seed.

    Parameters
    ----------
    city, indicator, year : str
        Code or name of the city (of a province its code), id of the indicator, calendar year.
    wrong, right : str
        The figure as delivered, and the one to use instead, in the unit of the file.
    evidence : str
        A document, or a delivered cell such as ``finance_loans/panel.xlsx B17``, which must then
        hold the right figure.
    reason : str, optional
        What is wrong.
    withdraw : bool
        Take back the corrections of this city, year and indicator; ``wrong`` may narrow them down.

    Returns
    -------
    Exit
        0 where the seed was written; 2 where the publication holds no such cell.
    """
    with open_foreign(Home.from_environment().published / DATABASE) as con:
        city_id = _city(con, city)
        where = (city_id, _whole_number(year), indicator or "")
        rows = _read_seed()
        if withdraw:
            return _withdraw(con, rows, where, wrong)
        cells = _cells(con, where)
        old, new = _number("wrong", wrong), _number("right", right)
        if not (evidence and evidence.strip()):
            raise NoCorrection("evidence: expected a document or a delivered file and cell")
        meant = [cell for cell in cells if cell["value_delivered"] == old]
        if not meant:
            raise NoCorrection(
                f"wrong: expected a figure as delivered for {where}, one of "
                f"{', '.join(_shown(cell) for cell in cells) or 'none'}; found {wrong}"
            )
        factors = [_factor(con, cell, indicator) for cell in meant]
        _check_evidence(con, evidence, indicator, new * factors[0])
        added = [
            {
                "source_id": cell["source_id"],
                "file_name": cell["file_name"],
                "city_id": str(city_id),
                "year": str(where[1]),
                "indicator_id": indicator,
                "delivered_value": str(old),
                "corrected_value": str(new),
                "reason": reason or "Wrong figure",
                "evidence": evidence.strip(),
            }
            for cell in meant
        ]
        keys = {_key(row) for row in added}
        _write_seed([row for row in rows if _key(row) not in keys] + added)
        for cell, factor in zip(meant, factors, strict=True):
            say(f"{_shown(cell)}: {cell['value']:g} becomes {new * factor:g}")
        _say_beside(con, where)
    return end_command(
        Exit.DONE, f"corrected in {SEED.name}: {len(added)}; the next refresh uses it"
    )


def _withdraw(
    con: duckdb.DuckDBPyConnection,
    rows: list[dict[str, str]],
    where: tuple[int, int, str],
    wrong: str | None,
) -> int:
    gone = [
        row
        for row in rows
        if (int(row["city_id"]), int(row["year"]), row["indicator_id"]) == where
        and (not wrong or float(row["delivered_value"]) == _number("wrong", wrong))
    ]
    if not gone:
        raise NoCorrection(f"expected a correction of {where} in {SEED}; found none")
    _write_seed([row for row in rows if row not in gone])
    for row in gone:
        say(f"{row['source_id']}/{row['file_name']}: {row['delivered_value']} stands as delivered")
    _say_beside(con, where)
    return end_command(Exit.DONE, f"withdrawn from {SEED.name}: {len(gone)}")


def _city(con: duckdb.DuckDBPyConnection, city: str | None) -> int:
    found = con.execute(PLACES, [(city or "").strip()]).fetchall()
    if len(found) == 1:
        return found[0][0]
    if city and re.fullmatch(r"[0-9]{6}", city):  # a province has codes, but no row of dim_city
        return int(city)
    names = ", ".join(f"{code} {chinese} ({english})" for code, chinese, english in found)
    raise NoCorrection(
        f"city: expected the code of six digits or the name of one city; found {city!r}, "
        f"{'which is ' + names + ': give the code' if found else 'which is none'}"
    )


def _cells(con: duckdb.DuckDBPyConnection, where: tuple[int, int, str]) -> list[dict]:
    cursor = con.execute(CELLS, list(where))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _shown(cell: dict) -> str:
    state = "current" if cell["is_current"] else "not current"
    judged = " ".join(filter(None, (cell["quality_flag"], cell["quality_rule"])))
    return (
        f"{cell['value_delivered']!r} {cell['unit_delivered']} in "
        f"{cell['source_id']}/{cell['file_name']} {cell['cell']} ({state}, {judged})"
    )


def _factor(con: duckdb.DuckDBPyConnection, cell: dict, indicator: str | None) -> float:
    of_column = [cell["source_id"], cell["file_name"], indicator, cell["unit_delivered"]]
    return con.execute(FACTOR, of_column).fetchall()[0][0] or 1.0


def _check_evidence(
    con: duckdb.DuckDBPyConnection, evidence: str, indicator: str | None, right: float
) -> None:
    """Where the evidence names a delivered file, one of the cells it names holds the figure."""
    for (path,) in con.execute(FILES).fetchall():
        if path not in evidence:
            continue
        named = set(re.findall(r"\b[A-Z]{1,3}[0-9]+\b", evidence.replace(path, " ")))
        cells = [
            row for row in con.execute(EVIDENCE, [path, indicator]).fetchall() if row[0] in named
        ]
        if not any(math.isclose(row[3], right, rel_tol=SAME) for row in cells):
            found = "; ".join(f"{cell} {value:g}" for cell, _, _, value in cells)
            raise NoCorrection(
                f"evidence: expected a cell of {path} with {indicator} {right:g}; found "
                f"{found or 'none of the cells that it names: ' + ', '.join(sorted(named))}"
            )


def _say_beside(con: duckdb.DuckDBPyConnection, where: tuple[int, int, str]) -> None:
    beside = con.execute(BESIDE, list(where)).fetchall()
    say(
        f"current {where[2]} as published: "
        + ", ".join(f"{year} {value:g}" for year, value in beside)
    )


def _whole_number(year: str | None) -> int:
    if not re.fullmatch("[0-9]{4}", year or ""):
        raise NoCorrection(f"year: expected four digits; found {year!r}")
    return int(year or "")


def _number(name: str, text: str | None) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise NoCorrection(f"{name}: expected a number in the unit of the file; found {text!r}")
    return value


def _key(row: dict[str, str]) -> tuple:
    return (*(row[name] for name in KEY[:-1]), float(row[KEY[-1]]))


def _read_seed() -> list[dict[str, str]]:
    with open(SEED, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _write_seed(rows: list[dict[str, str]]) -> None:
    with write_whole(Path(SEED)) as path, open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
