"""The city-year panel: current values that nothing doubts, each column with its line of the code
book.
"""

import csv

import duckdb
import pyarrow.parquet as pq
import pytest

from warehouse.errors import Refused
from warehouse.publication.city_panel import write_city_panel

TABLES = """
create schema marts; create schema meta;
create table marts.dim_city as select 110000 as city_id, '北京市' as city_name_zh,
    'Beijing' as city_name_en, '北京市' as province_name_zh, 'Beijing' as province_name_en,
    'east' as region, 2016 as treated_year;
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
alter table marts.fct_indicator_observation add column source_id varchar default 'a';
create table meta.source as select 'a' as source_id, 'Bureau' as producer, 'Book' as title,
    'free' as licence;
"""


def test_the_panel_has_current_values_with_their_code_book(tmp_path):
    with duckdb.connect() as con:
        con.execute(TABLES)
        assert write_city_panel(con, tmp_path / "out", "cite this") == (2, 2)
        write_city_panel(con, tmp_path / "plain", "cite this", plain=True)
    with (tmp_path / "out" / "city_year_panel.csv").open(encoding="utf-8-sig", newline="") as file:
        names = ["year", "g", "g_source", "g_flag", "h", "h_flag", "treated_year"]
        rows = [tuple(row[name] for name in names) for row in csv.DictReader(file)]
    assert rows == [
        ("2010", "1.5", "a", "ok", "3", "warned", "2016"),
        ("2012", "2.5", "a", "corrected", "", "", "2016"),
    ]
    schema = pq.read_schema(tmp_path / "out" / "city_year_panel.parquet")
    said = schema.field("g").metadata
    assert said[b"label_zh"].decode() == "产值" and said[b"sources"] == b"a 2010-2012"
    assert schema.metadata[b"citation"] == b"cite this"
    assert schema.names[-6:] == ["g", "g_source", "g_flag", "h", "h_source", "h_flag"]
    assert "a | Bureau | Book | free" in (tmp_path / "out" / "CITATION.txt").read_text("utf-8")
    names = pq.read_schema(tmp_path / "plain" / "city_year_panel.parquet").names
    assert names[-3:] == ["year", "g", "h"] and "treated_year" not in names


BORDERS = """
create or replace table marts.dim_city as select city_id, 'x' as city_name_zh, 'x' as city_name_en,
    'x' as province_name_zh, 'x' as province_name_en, 'x' as region, valid_to_year,
    null as treated_year
    from (values (1, null), (2, 2018), (3, null), (4, null), (5, 2010))
    as t(city_id, valid_to_year);
create or replace table marts.dim_codebook as from (values
    ('persons_10k', '', '', '10k', 'city', 2, ''), ('product', '', '', 'cny_100m', 'city', 2, ''),
    ('per_head', '', '', 'cny', 'city', 2, ''),
    ('persons_districts_10k', '', '', '10k', 'city', 2, '')
) as t(indicator_id, label_en, label_zh, unit, place_level, n_values, sources);
create or replace table marts.dim_boundary_event as from (values
    (date '2018-12-26', 2, 1, true, 1.0, 1.0), (date '2000-12-26', 2, 3, false, 0.5, 0.5),
    (date '2011-07-14', 5, 3, false, 0.25, null), (date '2011-07-14', 5, 4, false, 0.75, null),
    (date '2016-05-03', 1, 4, false, 0.5, 0.5)
) as t(in_force, from_city_id, to_city_id, is_whole, share_population, share_gdp);
create or replace table marts.fct_indicator_observation as
    select city_id, "year", indicator_id, 100.0 * city_id as "value", true as is_current,
        'city' as place_level, if(city_id = 2, 'warned', 'ok') as quality_flag,
        's' || city_id as source_id
    from unnest([1, 2, 3, 4, 5]) as a(city_id), unnest([2010, 2018, 2019]) as b("year"),
        unnest(['persons_10k', 'product', 'per_head', 'persons_districts_10k']) as c(indicator_id)
    where (city_id, "year", indicator_id) <> (2, 2018, 'product');
"""


def test_within_todays_borders_an_ended_city_is_counted_in_those_that_took_it(tmp_path):
    """City 1 took 2 as a whole, whose product of 2018 is not known; 3 and 4 took parts of 5, whose
    shares of product are not.
    """
    with duckdb.connect() as con:
        con.execute(TABLES)
        with pytest.raises(Refused, match="dim_boundary_event"):
            write_city_panel(con, tmp_path, "cite", today_borders=True)
        con.execute(BORDERS)
        write_city_panel(con, tmp_path, "cite", today_borders=True)
    names = ["year", "persons_10k_source", "persons_10k_flag"]
    rows = pq.read_table(tmp_path / "city_year_panel.parquet", columns=names).to_pylist()
    assert [tuple(row.values()) for row in rows[:3]] == [
        (2010, "s1+s2", "ok+warned"),
        (2018, "s1+s2", "ok+warned"),
        (2019, "s1", "ok"),
    ]
    names = ["city_id", "year", "persons_10k", "product", "per_head", "persons_districts_10k"]
    rows = pq.read_table(tmp_path / "city_year_panel.parquet", columns=names).to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        (1, 2010, 300, 300, 100, 100),
        (1, 2018, 300, None, 100, 100),
        (1, 2019, 100, 100, 100, 100),
        (3, 2010, 425, None, 300, 300),
        (3, 2018, 300, 300, 300, 300),
        (3, 2019, 300, 300, 300, 300),
        (4, 2010, 775, None, 400, 400),
        (4, 2018, 400, 400, 400, 400),
        (4, 2019, 400, 400, 400, 400),
    ]
