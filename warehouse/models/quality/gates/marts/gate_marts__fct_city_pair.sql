-- grain: one row is a pair of cities, with the distance that the gate checks
-- key: city_i_id, city_j_id
select
    city_i_id,
    city_j_id,
    distance_km
from {{ ref('fct_city_pair') }}
order by city_i_id, city_j_id
