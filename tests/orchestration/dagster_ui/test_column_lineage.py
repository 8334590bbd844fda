"""The columns that a column comes from, as Dagster's UI shows them."""

import dagster as dg
import duckdb

from orchestration.dagster_ui.column_lineage import describe_lineage, read_schema

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
    (found,) = describe_lineage(QUERY, schema).values()
    sources = {
        column: [(*dep.asset_key.path, dep.column_name) for dep in deps]
        for column, deps in found.deps_by_column.items()
    }
    assert isinstance(found, dg.TableColumnLineage) and sources == {
        "city_id": [("staging", "cities", "city_id")],
        "name": [("staging", "cities", "name")],
        "half": [("staging", "values", "amount")],
        "kind": [],
    }
    (reason,) = describe_lineage("select (", schema).values()
    assert "Line 1, Col: 8" in reason
