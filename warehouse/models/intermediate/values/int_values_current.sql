-- grain: one row is one place, year and indicator with its current value
-- key: place_level, city_id, year, indicator_id
select
    city_id,
    "year",
    indicator_id,
    place_level,
    "value",
    unit,
    source_id,
    edition_year,
    quality_flag
from {{ ref('int_observations_graded') }}
where choice_rank = 1 and is_usable
