-- grain: one row is a series with the years of the study window for which it can exist
-- key: component
-- growth cannot exist in the landing's first year, and Hamilton's component not in its first two; a later gap is a city's own gap
with first_years as (
    select
        component,
        min("year") as first_year
    from {{ ref('int_city_components') }}
    group by component
),

bounded as (
    select
        first_years.component,
        greatest(first_years.first_year, study_window.window_first_year) as first_year,
        study_window.window_last_year as last_year
    from first_years
    cross join {{ ref('int_study_window') }} as study_window
)

select
    component,
    cast(first_year as integer) as first_year,
    cast(last_year as integer) as last_year,
    cast(last_year - first_year + 1 as integer) as n_years
from bounded
where last_year >= first_year
