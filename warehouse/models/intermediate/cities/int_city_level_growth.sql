-- grain: one row is a city and year with the growth of employment, wages and night light in log points times 100
-- key: city_id, year
-- until 2012 light is modelled from an older sensor: the typical city leaps by half a log point in 2013, so its growth begins in 2014
with chosen as (
    select
        city_id,
        "year",
        indicator_id,
        log_change_pct
    from {{ ref('int_city_level_changes') }}
    where indicator_id in ('employed_10k', 'wage_avg_cny') or (indicator_id = 'night_lights_nw_cm2_sr' and "year" >= 2014)
    qualify row_number() over (
        partition by city_id, "year", indicator_id
        order by is_quarantined asc, priority asc, edition_year desc nulls last, source_id asc
    ) = 1
)

select
    city_id,
    "year",
    max(case when indicator_id = 'employed_10k' then log_change_pct end) as growth_employed_pct,
    max(case when indicator_id = 'wage_avg_cny' then log_change_pct end) as growth_wage_pct,
    max(case when indicator_id = 'night_lights_nw_cm2_sr' then log_change_pct end) as growth_night_lights_pct
from chosen
group by city_id, "year"
