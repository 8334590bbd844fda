-- grain: one row is a source, an indicator and a year that it delivered, with the priority that the seed gives it
-- key: source_id, indicator_id, year
with delivered as (
    select distinct
        observations.source_id,
        unnest([observations.indicator_id, coalesce(catalog.same_as, observations.indicator_id)]) as indicator_id,
        observations."year"
    from {{ ref('int_raw_observations') }} as observations
    left join {{ ref('indicator_catalog') }} as catalog on observations.indicator_id = catalog.indicator_id
)

-- a row for the indicator comes before one for all indicators, and a row for a period before one for all years
select
    delivered.source_id,
    delivered.indicator_id,
    delivered."year",
    cast(coalesce(source_priority.priority, 999) as integer) as priority
from delivered
left join {{ ref('source_priority') }} as source_priority
    on
        delivered.source_id = source_priority.source_id
        and source_priority.indicator_id in (delivered.indicator_id, '*')
        and delivered."year" between coalesce(source_priority.first_year, 0) and coalesce(source_priority.last_year, 9999)
qualify row_number() over (
    partition by delivered.source_id, delivered.indicator_id, delivered."year"
    order by
        source_priority.indicator_id = '*' asc,
        source_priority.first_year is null and source_priority.last_year is null asc,
        source_priority.first_year desc nulls last,
        source_priority.priority asc
) = 1
