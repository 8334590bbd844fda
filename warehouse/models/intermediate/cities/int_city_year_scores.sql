-- grain: one row is a city of the mart in a year of the study window or of the newest, with everything that the pair measures need
-- key: city_id, year
{%- set components = series_with(measures=['all', 'cm']) %}
with newest as (
    select
        min(first_year) as first_year,
        max(last_year) as last_year
    from {{ ref('int_component_years') }}
    where time_window = 'newest' and component in ({{ "'" ~ series_of_newest_window() | join("', '") ~ "'" }})
),

window_spine as (
    select
        spine.city_id,
        spine."year",
        spine."year" between study_window.window_first_year and study_window.window_last_year as is_study_window
    from {{ ref('int_city_spine') }} as spine
    cross join {{ ref('int_study_window') }} as study_window
    cross join newest
    where
        spine."year" between study_window.window_first_year and study_window.window_last_year
        or spine."year" between newest.first_year and newest.last_year
),

wide_scores as (
    select
        city_id,
        "year",
        {% for component, names in series_before_admission().items() -%}
            max(case when component = '{{ component }}' then z_before end) as {{ names['score'] }},
        {% endfor -%}
    {% for component in components %}
        max(case when component = '{{ component }}' then z end) as z_{{ component }},
        max(case when component = '{{ component }}' then d end) as d_{{ component }},
        max(case when component = '{{ component }}' then deviation end) as deviation_{{ component }},
        max(case when component = '{{ component }}' then n_years end) as n_years_{{ component }}{{ ',' if not loop.last }}
    {% endfor %}
    from {{ ref('int_city_scores') }}
    where time_window = 'study'
    group by city_id, "year"
),

newest_scores as (
    select
        city_id,
        "year",
    {% for component in series_of_newest_window() %}
        max(case when component = '{{ component }}' then z end) as z_newest_{{ component }}{{ ',' if not loop.last }}
    {% endfor %}
    from {{ ref('int_city_scores') }}
    where time_window = 'newest'
    group by city_id, "year"
)

select
    window_spine.city_id,
    window_spine."year",
    window_spine.is_study_window,
    wide_scores.* exclude (city_id, "year"),
    newest_scores.* exclude (city_id, "year"),
    case when wide_scores.d_growth_official is not null then rolling.u_1 end as u_1,
    rolling.u_2,
    rolling.u_3,
    rolling.u_4,
    rolling.u_5
from window_spine
left join wide_scores on window_spine.city_id = wide_scores.city_id and window_spine."year" = wide_scores."year"
left join newest_scores on window_spine.city_id = newest_scores.city_id and window_spine."year" = newest_scores."year"
left join {{ ref('int_city_rolling') }} as rolling on window_spine.city_id = rolling.city_id and window_spine."year" = rolling."year"
