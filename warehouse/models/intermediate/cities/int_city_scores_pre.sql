-- grain: one row is a city, year and series, standardised on all its years before the first admission, for cities complete in the window
-- key: city_id, year, component
{%- set before_admission = series_before_admission().keys() %}
with components as (
    select * from {{ ref('int_city_components') }}
    where component in ('{{ before_admission | join("', '") }}')
),

-- with fewer than 10 years the small sample dominates what such a score says
before_admission as (
    select
        city_id,
        component,
        {{ ordered_list('d', '"year"') }} as pre_values
    from components
    where "year" < {{ first_admission_year() }}
    group by city_id, component
    having count(*) >= 10
),

centred as (
    select
        *,
        {{ list_total('pre_values') }} / len(pre_values) as mean_d
    from before_admission
),

moments as (
    select
        city_id,
        component,
        mean_d,
        {{ nonzero_length(list_squared_deviation('pre_values', 'mean_d') ~ ' / len(pre_values)') }} as sd_d
    from centred
),

in_window as (
    select
        components.*,
        count(*) over (partition by components.city_id, components.component) = component_years.n_years as is_complete
    from components
    inner join {{ ref('int_component_years') }} as component_years
        on
            components.component = component_years.component
            and components."year" between component_years.first_year and component_years.last_year
),

final as (
    select
        in_window.city_id,
        in_window."year",
        in_window.component,
        (in_window.d - moments.mean_d) / moments.sd_d as z
    from in_window
    inner join moments on in_window.city_id = moments.city_id and in_window.component = moments.component
    where in_window.is_complete
)

select * from final
