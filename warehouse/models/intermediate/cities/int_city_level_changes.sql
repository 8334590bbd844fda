-- grain: one row is a city, year, level indicator, source and edition with the log change since the year before
-- key: city_id, year, indicator_id, source_id, edition_year; edition_year may be null, and null counts as a value
-- one value per source and edition, in case the same figure is delivered in several files
with levels as (
    select
        city_id,
        "year",
        indicator_id,
        source_id,
        edition_year,
        priority,
        -- a figure flagged as stitched is at another level than other sources, which does not touch growth within its own source
        quality_flag = 'quarantined' and coalesce(quality_rule, '') <> 'stitched' as is_quarantined,
        "value"
    from {{ ref('int_observations_graded') }}
    where
        indicator_id in ('gdp_nominal_cny_100m', 'gdp_real_cny_100m', 'employed_10k', 'wage_avg_cny', 'night_lights_nw_cm2_sr')
        and is_usable and "value" > 0
    qualify row_number() over (partition by city_id, "year", indicator_id, source_id, edition_year order by choice_rank) = 1
)

select
    levels.city_id,
    levels."year",
    levels.indicator_id,
    levels.source_id,
    levels.edition_year,
    levels.priority,
    levels.is_quarantined or earlier.is_quarantined as is_quarantined,
    100 * (ln(levels."value") - ln(earlier."value")) as log_change_pct
from levels
inner join levels as earlier
    on
        levels.city_id = earlier.city_id
        and levels.indicator_id = earlier.indicator_id
        and levels.source_id = earlier.source_id
        and levels.edition_year is not distinct from earlier.edition_year
        and levels."year" = earlier."year" + 1
