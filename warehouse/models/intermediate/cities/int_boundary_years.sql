-- grain: one row is a city, a change of its borders and a year around it
-- key: city_id, event_id, year
with places as (
    select
        event_id,
        in_force,
        unnest([from_city_id, to_city_id]) as city_id
    from {{ ref('boundary_events') }}
)

select
    cast(places.city_id as integer) as city_id,
    places.event_id,
    cast(year(cast(places.in_force as date)) + offsets.years_after as integer) as "year",
    cast(offsets.years_after as integer) as years_after
from places
-- a series steps in the year of the document or in the next one; some sources have the year before within the new borders, too
cross join (values (-1), (0), (1)) as offsets (years_after)
where places.city_id is not null
