-- grain: one row is a zone, a policy tool and a year
-- key: zone_name_zh, year, tool_class, tool
with years as (
    select unnest(generate_series(
        (select min(first_year) from {{ ref('int_policy_zone_clauses') }}),
        (select greatest(max(first_year), {{ window_last_year() }}) from {{ ref('int_policy_zone_clauses') }})
    )) as "year"
)

-- a stock: what is in force in a year counts in it, and is not added up again over the years
select
    cast(zone_clauses.zone_name_zh as varchar) as zone_name_zh,
    cast(zone_clauses.city_id as integer) as city_id,
    cast(years."year" as integer) as "year",
    cast(zone_clauses.tool_class as varchar) as tool_class,
    cast(zone_clauses.tool as varchar) as tool,
    cast(count(*) as integer) as clause_count,
    cast(coalesce(sum(zone_clauses.force * zone_clauses.strength_score), 0) as double) as strength
from {{ ref('int_policy_zone_clauses') }} as zone_clauses
inner join years on years."year" between zone_clauses.first_year and zone_clauses.last_year
where zone_clauses.tool <> 'none'
group by 1, 2, 3, 4, 5
