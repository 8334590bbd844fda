-- grain: one row is a source, an indicator and a year with the cities it delivers, and what became of them
-- key: source_id, indicator_id, year
-- a place that is not known counts by its name; what belongs to no indicator or year of ours has no cell here
with delivered as (
    select
        source_id,
        indicator_id,
        "year",
        count(distinct coalesce(cast(place_id as varchar), place_code_text, place_text)) as n_cities_delivered,
        count(distinct place_id) filter (where reason is null) as n_cities_taken
    from {{ ref('int_raw_resolved') }}
    where is_known_indicator and "year" between 1900 and 2100 and raw_text is not null
    group by all
),

judged as (
    select
        source_id,
        indicator_id,
        "year",
        count(distinct city_id) filter (where quality_flag = 'quarantined') as n_cities_quarantined,
        count(distinct city_id) filter (where choice_rank = 1 and is_usable) as n_cities_current,
        count(distinct city_id) - count(distinct city_id) filter (where is_usable) as n_cities_blocked
    from {{ ref('int_observations_graded') }}
    group by all
)

select
    delivered.source_id,
    delivered.indicator_id,
    cast(delivered.n_cities_delivered as integer) as n_cities_delivered,
    cast(delivered.n_cities_taken as integer) as n_cities_taken,
    cast(coalesce(judged.n_cities_blocked, 0) as integer) as n_cities_blocked,
    cast(coalesce(judged.n_cities_quarantined, 0) as integer) as n_cities_quarantined,
    cast(coalesce(judged.n_cities_current, 0) as integer) as n_cities_current,
    delivered."year"
from delivered
left join judged
    on
        delivered.source_id = judged.source_id
        and delivered.indicator_id = judged.indicator_id
        and delivered."year" = judged."year"
