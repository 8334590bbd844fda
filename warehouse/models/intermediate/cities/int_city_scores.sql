-- grain: one row is a city, year, series and window, standardised over the window, for cities that are complete in it, and in the study
-- window also on all years before the first admission
-- key: city_id, year, component, time_window
with in_window as (
    select
        component_years.time_window,
        components.city_id,
        components."year",
        components.component,
        components.d,
        component_years.n_years
    from {{ ref('int_city_components') }} as components
    inner join {{ ref('int_component_years') }} as component_years
        on
            components.component = component_years.component
            and components."year" between component_years.first_year and component_years.last_year
    qualify count(*) over (partition by component_years.time_window, components.city_id, components.component) = component_years.n_years
),

-- with fewer than 10 years before the admission the small sample dominates what such a score says
spans as (
    select
        time_window as span,
        city_id,
        component,
        {{ ordered_list('d', '"year"') }} as span_values
    from in_window
    group by time_window, city_id, component
    union all
    select
        'before' as span,
        city_id,
        component,
        {{ ordered_list('d', '"year"') }} as span_values
    from {{ ref('int_city_components') }}
    where "year" < {{ first_admission_year() }}
    group by city_id, component
    having count(*) >= 10
),

centred as (
    select
        *,
        {{ list_total('span_values') }} / len(span_values) as mean_d
    from spans
),

moments as (
    select
        span,
        city_id,
        component,
        mean_d,
        {{ nonzero_length(list_squared_deviation('span_values', 'mean_d') ~ ' / len(span_values)') }} as sd_d
    from centred
)

select
    in_window.*,
    moments.mean_d,
    moments.sd_d,
    in_window.d - moments.mean_d as deviation,
    (in_window.d - moments.mean_d) / moments.sd_d as z,
    (in_window.d - moments_before.mean_d) / moments_before.sd_d as z_before
from in_window
inner join moments
    on
        in_window.city_id = moments.city_id
        and in_window.component = moments.component
        and in_window.time_window = moments.span
left join moments as moments_before
    on
        in_window.city_id = moments_before.city_id
        and in_window.component = moments_before.component
        and in_window.time_window = 'study'
        and moments_before.span = 'before'
