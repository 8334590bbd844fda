-- grain: one row is a city, year and series, standardised over the window, for cities that are complete in it
-- key: city_id, year, component
with in_window as (
    select
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
),

complete as (
    select
        city_id,
        component,
        n_years,
        {{ ordered_list('d', '"year"') }} as window_values
    from in_window
    group by city_id, component, n_years
    having count(*) = n_years
),

centred as (
    select
        *,
        {{ list_total('window_values') }} / n_years as mean_d
    from complete
),

moments as (
    select
        city_id,
        component,
        mean_d,
        {{ nonzero_length(list_squared_deviation('window_values', 'mean_d') ~ ' / n_years') }} as sd_d
    from centred
),

final as (
    select
        in_window.city_id,
        in_window."year",
        in_window.component,
        in_window.n_years,
        in_window.d,
        moments.mean_d,
        moments.sd_d,
        in_window.d - moments.mean_d as deviation,
        (in_window.d - moments.mean_d) / moments.sd_d as z
    from in_window
    inner join moments on in_window.city_id = moments.city_id and in_window.component = moments.component
)

select * from final
