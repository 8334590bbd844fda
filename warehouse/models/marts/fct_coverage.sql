-- grain: one row is a source, an indicator and a year with the cities it delivers, and what became of them
-- key: source_id, indicator_id, year
-- a place that is not known counts by its name; what belongs to no indicator or year of ours has no cell here
with places as (
    select
        source_id,
        indicator_id,
        "year",
        coalesce(cast(place_id as varchar), place_code_text, place_text) as place,
        bool_or(reason is null) as is_taken
    from {{ ref('int_raw_resolved') }}
    where is_known_indicator and "year" between 1900 and 2100 and raw_text is not null
    group by all
),

delivered as (
    select
        source_id,
        indicator_id,
        "year",
        count(place) as n_cities_delivered,
        count_if(is_taken) as n_cities_taken
    from places
    group by all
),

cities as (
    select
        source_id,
        indicator_id,
        "year",
        bool_or(quality_flag = 'quarantined') as is_quarantined,
        bool_or(choice_rank = 1 and is_usable) as is_current,
        bool_or(is_usable) as is_usable
    from {{ ref('int_observations_graded') }}
    group by source_id, indicator_id, "year", city_id
),

checked as (
    select
        source_id,
        indicator_id,
        "year",
        count_if(is_quarantined) as n_cities_quarantined,
        count_if(is_current) as n_cities_current,
        count_if(not is_usable) as n_cities_blocked
    from cities
    group by all
)

select
    delivered.source_id,
    delivered.indicator_id,
    cast(delivered.n_cities_delivered as integer) as n_cities_delivered,
    cast(delivered.n_cities_taken as integer) as n_cities_taken,
    cast(coalesce(checked.n_cities_blocked, 0) as integer) as n_cities_blocked,
    cast(coalesce(checked.n_cities_quarantined, 0) as integer) as n_cities_quarantined,
    cast(coalesce(checked.n_cities_current, 0) as integer) as n_cities_current,
    delivered."year"
from delivered
left join checked
    on
        delivered.source_id = checked.source_id
        and delivered.indicator_id = checked.indicator_id
        and delivered."year" = checked."year"
