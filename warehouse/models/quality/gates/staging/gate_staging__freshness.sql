-- grain: one row is an indicator, with the number of years by which it ends before the newest year of the landing (no clock is asked)
-- key: indicator_id
with newest as (
    select
        indicator_id,
        max("year") as newest_year
    from {{ ref('int_raw_observations') }}
    where place_level = 'city'
    group by indicator_id
)

select
    indicator_id,
    newest_year,
    max(newest_year) over () - newest_year as lag_years
from newest
order by indicator_id
