"""The city-year panel as files for any program: current values, their code book, how to cite."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from warehouse.errors import Refused
from warehouse.publication.tables import ON_REQUEST
from warehouse.sql_text import literal, quote
from warehouse.whole_files import write_text, write_whole

PANEL, CODEBOOK, CITATION = "city_year_panel", "codebook.csv", "CITATION.txt"
_INDICATORS = """
select * from marts.dim_codebook where place_level = 'city' and n_values > 0 order by indicator_id
"""
# a doubted value is left out: whoever wants it finds it in fct_indicator_observation
_VALUES = """
select value.city_id, value."year", value.indicator_id, value."value", value.source_id,
    value.quality_flag
from marts.fct_indicator_observation as value
where value.is_current and value.place_level = 'city' and value.quality_flag <> 'quarantined'
"""
# Until it ended, a city is counted in those that took it. Only what adds up can be: persons, money,
# areas and counts, and not the figures of districts. Where a share or the figure of the city that
# ended is not known, that of its taker is left empty, since it is not of today's borders.
_TODAY = """
with delivered as ({values}),
moved as (
    select taker.city_id, taker."year", taker.indicator_id,
        gave."value" * case
            when event.is_whole then 1
            when book.unit = '10k' then event.share_population
            when regexp_matches(book.unit, '^(cny|usd)_') then event.share_gdp
        end as part,
        gave.source_id, gave.quality_flag
    from delivered as taker
    inner join marts.dim_codebook as book on taker.indicator_id = book.indicator_id
    inner join marts.dim_boundary_event as event on taker.city_id = event.to_city_id
    inner join marts.dim_city as ended on event.from_city_id = ended.city_id
        and taker."year" <= ended.valid_to_year
        and year(event.in_force) - ended.valid_to_year in (0, 1)
    left join delivered as gave on ended.city_id = gave.city_id and taker."year" = gave."year"
        and taker.indicator_id = gave.indicator_id
    where regexp_matches(book.unit, '^(10k|km2|count|(cny|usd)_.+)$')
        and not contains(taker.indicator_id, '_districts_')
),
added as (
    select city_id, "year", indicator_id,
        case when count(*) = count(part) then sum(part) end as part,
        list(source_id) as sources, list(quality_flag) as flags
    from moved group by all
)
select delivered.city_id, delivered."year", delivered.indicator_id,
    case when added.city_id is null then delivered."value" else delivered."value" + added.part end
        as "value",
    array_to_string(list_sort(list_distinct(list_append(added.sources, delivered.source_id))), '+')
        as source_id,
    array_to_string(list_sort(list_distinct(list_append(added.flags, delivered.quality_flag))), '+')
        as quality_flag
from delivered
inner join marts.dim_city as city on delivered.city_id = city.city_id and city.valid_to_year is null
left join added on delivered.city_id = added.city_id and delivered."year" = added."year"
    and delivered.indicator_id = added.indicator_id
"""
_PANEL = """
select city.city_id, city.city_name_zh, city.city_name_en, city.province_name_zh,
    city.province_name_en, city.region, {city_columns}value."year", {columns}
from ({values}) as value
inner join marts.dim_city as city on value.city_id = city.city_id
group by all
order by city.city_id, value."year"
"""
_EVENTS = """
from duckdb_tables() where schema_name = 'marts' and table_name = 'dim_boundary_event'
"""
_SOURCES = "select source_id, producer, title, licence from meta.source order by source_id"
_NO_INDICATOR = {
    "city_id": "GB/T 2260 code, six digits, the latest one",
    "city_name_zh": "Name in Chinese",
    "city_name_en": "Name in English",
    "province_name_zh": "Province in Chinese",
    "province_name_en": "Province in English",
    "region": "east, central, west or northeast",
    "treated_year": "First year treated by a zone of the whole prefecture, approval in "
    "July-December counting from the next year; empty if never",
    "year": "Calendar year",
}
# what is said of each value, behind its own column: `<indicator>_source`, `<indicator>_flag`
_OF_A_VALUE = {
    "source": ("source_id", "Source of {}; of cities added up each, joined by +"),
    "flag": ("quality_flag", "Result of the checks of {}: ok, warned or corrected"),
}


def write_city_panel(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    cite: str,
    *,
    today_borders: bool = False,
    plain: bool = False,
) -> tuple[int, int]:
    """Write the panel as CSV and Parquet with its code book and citation.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        To a publication, its tables named `schema.table`.
    folder : Path
        Receives the four files; made where it is missing.
    cite : str
        The line that names the publication.
    today_borders : bool
        Count a city that ended in those that took it, in the years until it ended.
    plain : bool
        Leave out source and flag of each value, and the city's first treated year.

    Returns
    -------
    (int, int)
        City-years, and indicators. A column of the Parquet file holds its line of the code book as
        metadata: label_en, label_zh, unit, sources, and so on.

    Raises
    ------
    Refused
        If today's borders are asked for and the publication has no events.
    """
    values = _VALUES
    if today_borders:
        if not con.execute(_EVENTS).fetchall():
            raise Refused(
                "--today-borders needs marts.dim_boundary_event, which this publication does not "
                "have; refresh it"
            )
        values = _TODAY.format(values=_VALUES)
    book = con.sql(_INDICATORS).arrow().read_all()
    indicators = book.to_pylist()
    said = {name: {"label_en": text} for name, text in _NO_INDICATOR.items()}
    columns, city_columns = [], ""
    for one in indicators:
        indicator = one["indicator_id"]
        columns.append(_column('"value"', indicator, indicator))
        said[indicator] = one
        if plain:
            continue
        for ending, (column, text) in _OF_A_VALUE.items():
            columns.append(_column(column, indicator, f"{indicator}_{ending}"))
            said[f"{indicator}_{ending}"] = {"label_en": text.format(indicator)}
    if not plain:
        city_columns = "city.treated_year, "
    query = _PANEL.format(columns=", ".join(columns), city_columns=city_columns, values=values)
    panel = con.sql(query).arrow().read_all()
    fields = []
    for column in panel.schema:
        notes = {key: _text(value) for key, value in said[column.name].items() if value is not None}
        fields.append(column.with_metadata(notes))
    described = panel.cast(pa.schema(fields, metadata={"citation": cite}))
    with write_whole(folder / f"{PANEL}.parquet") as path:
        pq.write_table(described, path, compression="zstd")
    for name, table in ((f"{PANEL}.csv", panel), (CODEBOOK, book)):
        with write_whole(folder / name) as path, path.open("wb") as file:
            # spreadsheets know UTF-8 by its mark
            file.write(b"\xef\xbb\xbf")
            pa_csv.write_csv(table, file)
    sources = con.execute(_SOURCES).fetchall()
    lines = [cite, "", "Sources (source, producer, title, licence):"]
    for row in sources:
        lines.append(" | ".join(text or "" for text in row))
    write_text(folder / CITATION, "\n".join(lines) + "\n")
    return panel.num_rows, len(indicators)


def _column(column: str, indicator: str, name: str) -> str:
    """Return a column of the panel: what the values of one indicator have in a column of theirs."""
    return (
        f"max(value.{column}) filter (where value.indicator_id = {literal(indicator)}) "
        f"as {quote(name)}"
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def write_pairs(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write the tables of pairs into a folder as Parquet, by their names; of very many pairs a
    publication holds Parquet files by year instead of tables.
    """
    query = "select schema_name || '.' || table_name from duckdb_tables()"
    there = {name for (name,) in con.execute(query).fetchall()}
    for name in there.intersection(ON_REQUEST):
        with write_whole(folder / f"{name.partition('.')[2]}.parquet") as path:
            con.execute(f"copy (from {name}) to {literal(path)} (format parquet, compression zstd)")
