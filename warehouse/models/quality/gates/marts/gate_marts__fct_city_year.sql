-- grain: one row is a city and year, with the growth that the gate checks
-- key: city_id, year
select
    city_id,
    "year",
    growth_official_pct,
    growth_deflated_pct
from {{ ref('fct_city_year') }}
order by city_id, "year"
