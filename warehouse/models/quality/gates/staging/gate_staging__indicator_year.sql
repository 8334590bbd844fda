-- grain: one row is an indicator of a source in a year, with its number of cities beside that of the years before and after
-- key: source_id, indicator_id, year
with city_years as (
    select distinct
        source_id,
        indicator_id,
        "year",
        city_id
    from {{ ref('int_raw_observations') }}
    where place_level = 'city'
),

years as (
    select
        source_id,
        indicator_id,
        "year",
        count(*) as n_cities
    from city_years
    group by source_id, indicator_id, "year"
),

-- a year is compared with the neighbour that has fewer cities, so that a source that grows or ends shows no gap
compared as (
    select
        *,
        least(lag(n_cities) over by_year, lead(n_cities) over by_year) as n_neighbours,
        lead("year") over by_year - lag("year") over by_year as span
    from years
    window by_year as (partition by source_id, indicator_id order by "year")
)

-- a source of fewer than 20 cities is not checked
select
    source_id,
    indicator_id,
    "year",
    n_cities,
    case when span = 2 and n_neighbours >= 20 then n_cities / n_neighbours end as share_of_neighbours
from compared
order by source_id, indicator_id, "year"
