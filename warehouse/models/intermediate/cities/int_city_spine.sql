-- grain: one row is a city with any current value in each year of the landing's span
-- key: city_id, year
with cities as (
    select distinct
        city_id,
        min("year") over () as first_year,
        max("year") over () as last_year
    from {{ ref('int_observations_graded') }}
    where place_level = 'city' and is_usable
)

select
    city_id,
    cast(unnest(range(first_year, last_year + 1)) as integer) as "year"
from cities
