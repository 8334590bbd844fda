-- grain: one row is a city with any current value in each year of the landing's span
-- key: city_id, year
with current_values as (
    select * from {{ ref('int_values_current') }}
),

study_window as (
    select * from {{ ref('int_study_window') }}
),

cities as (
    select distinct city_id
    from current_values
    where place_level = 'city'
),

years as (
    select cast(unnest(range(span_first_year, span_last_year + 1)) as integer) as "year"
    from study_window
    where span_first_year is not null
),

final as (
    select
        cities.city_id,
        years."year"
    from cities
    cross join years
)

select * from final
