"""The city-year panel: current values that nothing doubts, each column with its line of the code
book.
"""

import csv

import duckdb
import pyarrow.parquet as pq

from warehouse.publication.city_panel import write_city_panel

TABLES = """
create schema marts; create schema meta;
create table marts.dim_city as select 110000 as city_id, '北京市' as city_name_zh,
    'Beijing' as city_name_en, '北京市' as province_name_zh, 'Beijing' as province_name_en,
    'east' as region;
create table marts.dim_codebook as from (values
    ('g', 'Product, current prices', '产值', 'cny', 'city', 2, 'a 2010-2012'),
    ('h', 'Heads', '人口', '10k', 'city', 1, 'b 2010-2010'),
    ('p', 'Prices', '价格', 'index', 'province', 1, 'b 2010-2010'),
    ('n', 'Nothing', '无', 'cny', 'city', 0, null)
) as t(indicator_id, label_en, label_zh, unit, place_level, n_values, sources);
create table marts.fct_indicator_observation as from (values
    (110000, 2010, 'g', 15e-1, true, 'city', 'ok'), (110000, 2010, 'g', 9.0, false, 'city', 'ok'),
    (110000, 2010, 'h', 3.0, true, 'city', 'warned'),
    (110000, 2011, 'h', 4.0, true, 'city', 'quarantined'),
    (110000, 2012, 'g', 2.5, true, 'city', 'corrected'),
    (110000, 2010, 'p', 101.0, true, 'province', 'ok')
) as t(city_id, "year", indicator_id, "value", is_current, place_level, quality_flag);
create table meta.source as select 'a' as source_id, 'Bureau' as producer, 'Book' as title,
    'free' as licence;
"""


def test_the_panel_has_current_values_with_their_code_book(tmp_path):
    with duckdb.connect() as con:
        con.execute(TABLES)
        assert write_city_panel(con, tmp_path / "out", "cite this") == (2, 2)
    with (tmp_path / "out" / "city_year_panel.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [(row["year"], row["g"], row["h"]) for row in csv.DictReader(file)]
    assert rows == [("2010", "1.5", "3"), ("2012", "2.5", "")]
    schema = pq.read_schema(tmp_path / "out" / "city_year_panel.parquet")
    said = schema.field("g").metadata
    assert said[b"label_zh"].decode() == "产值" and said[b"sources"] == b"a 2010-2012"
    assert schema.metadata[b"citation"] == b"cite this" and schema.names[-2:] == ["g", "h"]
    assert "a | Bureau | Book | free" in (tmp_path / "out" / "CITATION.txt").read_text("utf-8")
