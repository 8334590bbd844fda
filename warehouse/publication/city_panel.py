"""The city-year panel as files for any program: current values, their code book, how to cite."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from warehouse.sql_text import literal, quote
from warehouse.whole_files import write_whole

PANEL, CODEBOOK, CITATION = "city_year_panel", "codebook.csv", "CITATION.txt"
_INDICATORS = """
select * from marts.dim_codebook where place_level = 'city' and n_values > 0 order by indicator_id
"""
# a doubted value is left out: whoever wants it finds it in fct_indicator_observation
_VALUES = """
select city.city_id, city.city_name_zh, city.city_name_en, city.province_name_zh,
    city.province_name_en, city.region, value."year", {columns}
from marts.fct_indicator_observation as value
inner join marts.dim_city as city on value.city_id = city.city_id
where value.is_current and value.place_level = 'city' and value.quality_flag <> 'quarantined'
group by all
order by city.city_id, value."year"
"""
_SOURCES = "select source_id, producer, title, licence from meta.source order by source_id"
_NO_INDICATOR = {
    "city_id": "GB/T 2260 code, six digits, the latest one",
    "city_name_zh": "Name in Chinese",
    "city_name_en": "Name in English",
    "province_name_zh": "Province in Chinese",
    "province_name_en": "Province in English",
    "region": "east, central, west or northeast",
    "year": "Calendar year",
}


def write_city_panel(con: duckdb.DuckDBPyConnection, folder: Path, cite: str) -> tuple[int, int]:
    """Write the panel as CSV and Parquet with its code book and citation.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        To a publication, its tables named `schema.table`.
    folder : Path
        Receives the four files; made where it is missing.
    cite : str
        The line that names the publication.

    Returns
    -------
    (int, int)
        City-years, and indicators. A column of the Parquet file holds its line of the code book as
        metadata: label_en, label_zh, unit, sources, and so on.
    """
    book = con.sql(_INDICATORS).arrow().read_all()
    indicators = book.to_pylist()
    columns = ", ".join(
        f'max(value."value") filter (where value.indicator_id = {literal(one["indicator_id"])}) '
        f"as {quote(one['indicator_id'])}"
        for one in indicators
    )
    panel = con.sql(_VALUES.format(columns=columns)).arrow().read_all()
    said = {name: {"label_en": text} for name, text in _NO_INDICATOR.items()}
    said |= {one["indicator_id"]: one for one in indicators}
    fields = [
        column.with_metadata({k: _text(v) for k, v in said[column.name].items() if v is not None})
        for column in panel.schema
    ]
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
    lines += [" | ".join(text or "" for text in row) for row in sources]
    with write_whole(folder / CITATION) as path:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return panel.num_rows, len(indicators)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
