"""The columns that a column comes from, as Dagster's UI shows them."""

import dagster as dg
import duckdb

from orchestration.dagster_ui.column_lineage import COME_FROM, describe_lineage, read_schema

TABLES = """
create schema staging;
create table staging.values (city_id int, "year" int, amount double);
create table staging.cities (city_id int, name text);
"""
QUERY = """
with yearly as (
    select city_id, sum(amount) as total
    from "citysync"."staging"."values" where "year" > 2000 group by city_id
)
select cities.*, yearly.total / 2 as half, 'a' as kind
from "citysync"."staging"."cities" as cities
left join yearly on cities.city_id = yearly.city_id
"""


def test_columns_of_other_tables_are_named_and_a_query_that_cannot_be_read_says_so():
    with duckdb.connect() as con:
        con.execute(TABLES)
        schema = read_schema(con)
    found = describe_lineage(QUERY, schema)
    lines = found[COME_FROM].value.splitlines()
    assert lines[2:] == [
        "| city_id | staging.cities.city_id |",
        "| name | staging.cities.name |",
        "| half | staging.values.amount |",
        "| kind |  |",
    ]
    (amount,) = found["dagster/column_lineage"].deps_by_column["half"]
    assert (amount.asset_key, amount.column_name) == (dg.AssetKey(["staging", "values"]), "amount")
    assert "Line 1, Col: 8" in describe_lineage("select (", schema)[COME_FROM]
