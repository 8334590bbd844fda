-- grain: one row is a city and year with the growth of its night light in log points times 100
-- key: city_id, year
-- until 2012 the product is modelled from an older sensor: the typical city leaps by half a log point in 2013, so growth begins in 2014
with final as (
    select
        city_id,
        "year",
        log_change_pct as growth_night_lights_pct
    from {{ ref('int_city_level_changes') }}
    where indicator_id = 'night_lights_nw_cm2_sr' and "year" >= 2014
    qualify row_number() over (
        partition by city_id, "year" order by is_quarantined asc, priority asc, edition_year desc nulls last, source_id asc
    ) = 1
)

select * from final
