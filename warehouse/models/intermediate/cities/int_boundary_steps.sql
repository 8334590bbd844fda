-- grain: one row is a city and a year around a change of its borders, with the area or registered persons that it moved, in logs
-- key: city_id, year
-- sources may cover either area in these years
with steps as (
    select
        events.city_id,
        events.event_id,
        ln(figures."value" / lag(figures."value") over in_order) as step
    from {{ ref('int_boundary_years') }} as events
    inner join {{ ref('int_observations_graded') }} as figures
        on
            {{ same_keys('events', 'figures', ['city_id', '"year"']) }}
            and figures.indicator_id in ('area_km2', 'population_registered_10k')
            and figures.place_level = 'city'
            and figures.choice_rank = 1
            and figures.is_usable
            and figures."value" > 0
    window in_order as (partition by events.event_id, events.city_id, figures.indicator_id order by figures."year")
)

select
    events.city_id,
    events."year",
    max(abs(steps.step)) as largest_step
from {{ ref('int_boundary_years') }} as events
inner join steps on {{ same_keys('events', 'steps', ['city_id', 'event_id']) }}
group by events.city_id, events."year"
