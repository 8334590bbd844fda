"""Check one cell of a publication again: run the models on what can change the result."""

from __future__ import annotations

import duckdb

from warehouse.replay.models import make

# indicators of which rules on an indicator read all cities, too
_READS = {
    "gdp_nominal_cny_100m": ("population_registered_10k", "population_resident_10k"),
    "fiscal_revenue_cny_100m": ("gdp_nominal_cny_100m",),
}
# every delivered value of the indicator (in its other form too, and of the level that it is the
# growth of), and every cell of the city, for the rules on rows
_CORRECTED = """
create or replace temp table int_observations_corrected as
select
    row_number() over (
        order by source_id, edition_year nulls first, file_name, sheet_name, row_no, col_no,
            indicator_id, city_id, "year", cell_ref
    ) as observation_id,
    * exclude (is_current, priority, quality_flag, quality_rule, quality_detail, proposed_value),
    "value" as value_as_delivered,
    quality_flag = 'corrected' as is_corrected
from marts.fct_indicator_observation
where list_contains($1, indicator_id) or (city_id = $2 and place_level = 'city')
"""
# the other form of the same quantity, and the level
_RELATED = """
with own as (select * from indicator_catalog where indicator_id = $1)
select catalog.indicator_id, false from indicator_catalog as catalog cross join own
where catalog.indicator_id in (own.indicator_id, own.same_as) or catalog.same_as = own.indicator_id
    or catalog.same_as = own.same_as
union all
select growth_of, true from own where growth_of is not null
order by all
"""


def replay(
    con: duckdb.DuckDBPyConnection,
    where: tuple[int, int, str],
    *,
    changed: int | None = None,
    to: float = 0.0,
) -> None:
    """Check the figures of a cell again, as temporary tables named as the models; `own_indicators`
    holds the indicators of the same quantity.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        To a publication whose tables are named `schema.table`; may read the seeds.
    where : tuple
        City, year and indicator.
    changed : int, optional
        The observation_id, of an earlier call, of a figure that is changed first.
    to : float
        What it becomes, in its canonical unit.
    """
    city_id, _, indicator_id = where
    made: set[str] = set()
    make(con, "indicator_catalog", made)
    related = con.execute(_RELATED, [indicator_id]).fetchall()
    own = [name for name, is_level in related if not is_level]
    context = [name for name, is_level in related if is_level]
    for name in own:
        context += _READS.get(name, ())
    con.execute(
        "create or replace temp table own_indicators as select unnest($1) as indicator_id", [own]
    )
    con.execute(_CORRECTED, [own + context, city_id])
    if changed is not None:
        con.execute(
            "update int_observations_corrected set value_delivered = "
            'coalesce(value_delivered / nullif("value", 0) * $1, $1), "value" = $1, '
            "value_as_delivered = $1 where observation_id = $2",
            [to, changed],
        )
    con.execute(
        "create or replace temp view int_raw_observations as from int_observations_corrected"
    )
    made |= {"int_observations_corrected", "int_raw_observations"}
    # figures of the context are not checked here: levels are needed for growth, and rows of this
    # city for the rules on rows
    of_context = "where city_id <> $1 and not list_contains($2, indicator_id)"
    if not any(name in _READS for name in own):
        make(con, "int_values_followed", made)
        for table in ("int_values_series", "int_trends_delivered"):
            con.execute(f"delete from {table} {of_context}", [city_id, own])
    make(con, "int_values_paired", made)
    con.execute("delete from int_values_paired where not list_contains($1, indicator_id)", [own])
    make(con, "int_trends_cleaned", made)
    con.execute(f"delete from int_trends_cleaned {of_context}", [city_id, own])
    make(con, "int_observations_flagged", made)
    # what follows chooses among figures of the same quantity
    con.execute(f"delete from int_observations_corrected {of_context}", [city_id, own])
    make(con, "int_observations_graded", made)
