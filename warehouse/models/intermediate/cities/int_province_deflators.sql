-- grain: one row is a province and year with the log change of its implicit deflator since the year before
-- key: province_id, year
-- nominal and real GDP of a city, side by side in one source and edition
with city_levels as (
    select
        city_id,
        "year",
        source_id,
        edition_year,
        max(case when indicator_id = 'gdp_nominal_cny_100m' then "value" end) as nominal,
        max(case when indicator_id = 'gdp_real_cny_100m' then "value" end) as real_level,
        min(priority) as priority
    from {{ ref('int_observations_graded') }}
    where indicator_id in ('gdp_nominal_cny_100m', 'gdp_real_cny_100m') and quality_flag not in ('blocked', 'quarantined') and "value" > 0
    group by city_id, "year", source_id, edition_year
    having count(distinct indicator_id) = 2
),

-- only cities that have both years are used, so that a city that appears or disappears does not change the province's prices
matched as (
    select
        later.city_id // 10000 * 10000 as province_id,
        later.city_id,
        later."year",
        later.source_id,
        later.edition_year,
        later.priority,
        later.nominal,
        later.real_level,
        earlier.nominal as nominal_before,
        earlier.real_level as real_level_before
    from city_levels as later
    inner join city_levels as earlier
        on
            later.city_id = earlier.city_id
            and later.source_id = earlier.source_id
            and later.edition_year is not distinct from earlier.edition_year
            and later."year" = earlier."year" + 1
),

province_totals as (
    select
        province_id,
        "year",
        source_id,
        edition_year,
        min(priority) as priority,
        {{ list_total(ordered_list('nominal', 'city_id')) }} as nominal,
        {{ list_total(ordered_list('real_level', 'city_id')) }} as real_level,
        {{ list_total(ordered_list('nominal_before', 'city_id')) }} as nominal_before,
        {{ list_total(ordered_list('real_level_before', 'city_id')) }} as real_level_before
    from matched
    group by province_id, "year", source_id, edition_year
)

select
    cast(province_id as integer) as province_id,
    "year",
    source_id,
    100 * (ln(nominal / real_level) - ln(nominal_before / real_level_before)) as deflator_change_pct
from province_totals
qualify row_number() over (
    partition by province_id, "year" order by priority asc, edition_year desc nulls last, source_id asc
) = 1
