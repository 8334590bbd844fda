-- grain: one row is a series and a window with the years of the window for which the series can exist
-- key: time_window, component
-- growth cannot exist in the landing's first year, and Hamilton's component not in its first two; a later gap is a city's own gap
with first_years as (
    select
        component,
        min("year") as first_year
    from {{ ref('int_city_components') }}
    group by component
),

grown as (
    select
        components.component,
        components.city_id,
        components."year",
        components."year" between study_window.window_first_year and study_window.window_last_year as is_study_year
    from {{ ref('int_city_components') }} as components
    cross join {{ ref('int_study_window') }} as study_window
),

-- as the newest window of the primary test, of each series (docs/methods, section 18.7)
base as (
    select
        component,
        coalesce(
            max(case when "year" = {{ newest_base_year() }} then "year" end), max(case when is_study_year then "year" end)
        ) as base_year
    from grown
    group by component
),

in_base as (
    select
        grown.component,
        grown.city_id,
        count(*) over (partition by grown.component) as n_cities
    from grown
    inner join base on grown.component = base.component and grown."year" = base.base_year
),

well_covered as (
    select
        grown.component,
        grown."year"
    from grown
    inner join in_base on grown.component = in_base.component and grown.city_id = in_base.city_id
    group by grown.component, grown."year"
    having count(*) >= {{ newest_least_share() }} * max(in_base.n_cities)
),

windows as (
    select
        'study' as time_window,
        first_years.component,
        study_window.window_first_year as first_year,
        study_window.window_last_year as last_year
    from first_years
    cross join {{ ref('int_study_window') }} as study_window
    union all
    select
        'newest' as time_window,
        component,
        {{ newest_first_year() }} as first_year,
        max("year") as last_year
    from well_covered
    group by component
),

bounded as (
    select
        windows.time_window,
        windows.component,
        greatest(first_years.first_year, windows.first_year) as first_year,
        windows.last_year
    from windows
    inner join first_years on windows.component = first_years.component
)

select
    time_window,
    component,
    cast(first_year as integer) as first_year,
    cast(last_year as integer) as last_year,
    cast(last_year - first_year + 1 as integer) as n_years
from bounded
where last_year >= first_year
