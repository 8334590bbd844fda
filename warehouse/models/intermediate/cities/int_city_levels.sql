-- grain: one row is a city and year with real GDP, its base year and its log within an unbroken run of years
-- key: city_id, year
-- every source and edition with real growth of a city, the best first
with growth_sources as (
    select
        city_id,
        source_id,
        edition_year,
        min(priority) as priority,
        bool_or(indicator_id = 'gdp_real_cny_100m') as has_level
    from {{ ref('int_observations_graded') }}
    where is_usable and indicator_id in ('gdp_growth_official_pct', 'gdp_index_prev_year_100', 'gdp_real_cny_100m')
    group by city_id, source_id, edition_year
),

best_source as (
    select *
    from growth_sources
    qualify row_number() over (partition by city_id order by priority asc, edition_year desc nulls last, source_id asc) = 1
),

passed_editions as (
    select growth_sources.*
    from growth_sources
    inner join best_source on growth_sources.city_id = best_source.city_id and growth_sources.source_id = best_source.source_id
    where growth_sources.has_level
    qualify row_number() over (partition by growth_sources.city_id order by growth_sources.edition_year desc nulls last) = 1
),

same_edition as (
    select
        graded.city_id,
        graded."year",
        graded.indicator_id,
        graded."value"
    from {{ ref('int_observations_graded') }} as graded
    inner join passed_editions
        on
            graded.city_id = passed_editions.city_id
            and graded.source_id = passed_editions.source_id
            and graded.edition_year is not distinct from passed_editions.edition_year
    where graded.is_usable and graded."value" > 0 and graded.indicator_id in ('gdp_real_cny_100m', 'gdp_nominal_cny_100m')
    qualify row_number() over (partition by graded.city_id, graded."year", graded.indicator_id order by graded.choice_rank) = 1
),

passed_levels as (
    select
        city_id,
        "year",
        max("value") filter (where indicator_id = 'gdp_real_cny_100m') as gdp_real_cny_100m,
        max("value") filter (where indicator_id = 'gdp_nominal_cny_100m') as gdp_nominal_cny_100m
    from same_edition
    group by city_id, "year"
    having gdp_real_cny_100m is not null
),

growth_years as (
    select
        city_id,
        "year",
        growth_official_pct,
        "year" - row_number() over (partition by city_id order by "year") as run_key
    from {{ ref('int_city_growth') }}
    where growth_official_pct is not null and city_id not in (select city_id from passed_levels)
),

growth_runs as (
    select
        city_id,
        run_key,
        min("year") as first_growth_year,
        {{ ordered_list('growth_official_pct / 100', '"year"') }} as log_changes
    from growth_years
    group by city_id, run_key
),

-- growth of year t links t to t - 1, so a run of growth rates has one more year of levels, before its first
run_positions as (
    select
        *,
        unnest(range(0, len(log_changes) + 1)) as n_changes
    from growth_runs
),

chained_logs as (
    select
        city_id,
        run_key,
        first_growth_year - 1 + n_changes as "year",
        coalesce({{ list_total('log_changes[1:n_changes]') }}, 0) as log_level
    from run_positions
),

anchors as (
    select
        chained_logs.city_id,
        chained_logs.run_key,
        chained_logs."year" as base_year,
        ln(current_values."value") - chained_logs.log_level as log_offset
    from chained_logs
    inner join {{ ref('int_values_current') }} as current_values
        on
            chained_logs.city_id = current_values.city_id
            and chained_logs."year" = current_values."year"
            and current_values.indicator_id = 'gdp_nominal_cny_100m'
    where current_values."value" > 0
    qualify row_number() over (
        partition by chained_logs.city_id, chained_logs.run_key
        order by chained_logs."year" <> {{ tie_first_year() }}, chained_logs."year"
    ) = 1
),

chained_levels as (
    select
        chained_logs.*,
        exp(chained_logs.log_level + anchors.log_offset) as gdp_real_cny_100m,
        anchors.base_year,
        'chained' as gdp_real_basis
    from chained_logs
    left join anchors on chained_logs.city_id = anchors.city_id and chained_logs.run_key = anchors.run_key
),

delivered_levels as (
    select
        city_id,
        "year" - row_number() over (partition by city_id order by "year") as run_key,
        "year",
        ln(gdp_real_cny_100m) as log_level,
        gdp_real_cny_100m,
        -- a delivered level names no base year: it is the first year in which it equals the nominal figure beside it
        min("year") filter (where abs(gdp_real_cny_100m / gdp_nominal_cny_100m - 1) < 1e-4) over (partition by city_id) as base_year,
        'delivered' as gdp_real_basis
    from passed_levels
)

-- the year before the landing's first year has a level only by chaining: it is not a year of the landing
select
    all_levels.city_id,
    cast(all_levels."year" as integer) as "year",
    cast(all_levels.run_key as integer) as run_key,
    all_levels.log_level,
    all_levels.gdp_real_cny_100m,
    cast(case when all_levels.gdp_real_cny_100m is not null then all_levels.base_year end as integer) as gdp_real_base_year,
    all_levels.gdp_real_basis
from (
    select * from delivered_levels
    union all
    select * from chained_levels
) as all_levels
inner join {{ ref('int_city_growth') }} as growth on all_levels.city_id = growth.city_id and all_levels."year" = growth."year"
