-- grain: one row is an indicator and year of the current values, where at least 30 cities have this year and the one before
-- key: indicator_id, year
with positive as (
    select
        observations.indicator_id,
        observations.city_id,
        observations."year",
        ln(observations."value") as log_value
    from {{ ref('fct_indicator_observation') }} as observations
    inner join {{ ref('indicator_catalog') }} as catalog on observations.indicator_id = catalog.indicator_id
    where
        catalog.kind in ('level', 'flow')
        and observations."value" > 0
        and observations.is_current
        and observations.place_level = 'city'
),

changes as (
    select
        indicator_id,
        "year",
        log_value - lag(log_value) over city_years as change,
        "year" - lag("year") over city_years as gap
    from positive
    window city_years as (partition by indicator_id, city_id order by "year")
)

-- a year in which most cities leap has passed every detector
select
    indicator_id,
    "year",
    count(*) as n_changes,
    avg(cast(abs(change) > 1 as integer)) as leap_share
from changes
where gap = 1
group by indicator_id, "year"
having count(*) >= 30
order by indicator_id, "year"
