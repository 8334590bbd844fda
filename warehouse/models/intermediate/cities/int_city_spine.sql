-- grain: one row is a city with any current value in each year of the landing's span
-- key: city_id, year
with cities as (
    select distinct city_id
    from {{ ref('int_values_current') }}
    where place_level = 'city'
),

years as (
    select cast(unnest(range(span_first_year, span_last_year + 1)) as integer) as "year"
    from {{ ref('int_study_window') }}
    where span_first_year is not null
)

select
    cities.city_id,
    years."year"
from cities
cross join years
