-- grain: one row is one accepted delivered value, with the columns that the gate judges
-- key: observation_id
select
    observation_id,
    city_id,
    "value",
    "year",
    indicator_id,
    source_id
from {{ ref('int_raw_observations') }}
order by observation_id
