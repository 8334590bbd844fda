"""`citysync correct`: record the correction of a delivered figure, with its evidence, in the seed
`value_corrections`, or withdraw one.
"""

from __future__ import annotations

import duckdb

from orchestration.home import Home
from orchestration.publication_folders import opened
from orchestration.terminal import Exit, end_command, say
from warehouse.corrections import (
    SEED,
    NoCorrection,
    cells_of,
    check_evidence,
    factor_of,
    figures_meant,
    find_city,
    is_figure,
    key_of,
    named,
    number_of,
    read_corrections,
    shown,
    write_corrections,
    year_of,
)
from warehouse.replay.cell import require_cell

BESIDE = """
select "year", "value" from marts.fct_indicator_observation
where city_id = $1 and "year" between $2 - 1 and $2 + 1 and indicator_id = $3 and is_current
order by "year"
"""


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
    with opened(Home.from_environment()) as publication, publication.connect() as con:
        city_id = find_city(con, city)
        where = (city_id, year_of(year), indicator or "")
        rows = read_corrections()
        if withdraw:
            return _withdraw(con, rows, where, wrong)
        cells = cells_of(con, where)
        if not cells:
            require_cell(con, where)
        old, new = number_of("wrong", wrong), number_of("right", right)
        if not (evidence and evidence.strip()):
            raise NoCorrection(
                "evidence: expected a document or a delivered file and cell, found none"
            )
        meant = figures_meant(cells, old)
        if not meant:
            raise NoCorrection(
                f"wrong: expected a figure as delivered of {named(where)}, one of "
                f"{', '.join(map(shown, cells))}; found {wrong}"
            )
        factors = [factor_of(con, cell, indicator) for cell in meant]
        check_evidence(con, evidence, indicator, new * factors[0])
        added = [
            {
                "source_id": cell["source_id"],
                "file_name": cell["file_name"],
                "city_id": str(city_id),
                "year": str(where[1]),
                "indicator_id": indicator,
                "delivered_value": str(cell["value_delivered"]),
                "corrected_value": str(new),
                "reason": reason or "Wrong figure",
                "evidence": evidence.strip(),
            }
            for cell in meant
        ]
        keys = {key_of(row) for row in added}
        write_corrections([row for row in rows if key_of(row) not in keys] + added)
        for cell, factor in zip(meant, factors, strict=True):
            say(f"{shown(cell)}: {cell['value']:g} becomes {new * factor:g}")
        _print_neighbouring_years(con, where)
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
        and (not wrong or is_figure(float(row["delivered_value"]), number_of("wrong", wrong)))
    ]
    if not gone:
        raise NoCorrection(f"expected a correction of {named(where)} in {SEED}; found none")
    write_corrections([row for row in rows if row not in gone])
    for row in gone:
        file = f"{row['source_id']}/{row['file_name']}"
        say(f"{file}: {row['delivered_value']} is used as delivered again")
    _print_neighbouring_years(con, where)
    return end_command(Exit.DONE, f"withdrawn from {SEED.name}: {len(gone)}")


def _print_neighbouring_years(con: duckdb.DuckDBPyConnection, where: tuple[int, int, str]) -> None:
    beside = con.execute(BESIDE, list(where)).fetchall()
    say(
        f"current {where[2]} as published: "
        + ", ".join(f"{year} {value:g}" for year, value in beside)
    )
