-- grain: one row is one accepted delivered value with its cell, its flag and whether it is the current one
-- key: source_id, edition_year, file_name, place_level, city_id, year, indicator_id; edition_year may be null, and null counts as a value
select
    city_id,
    "year",
    indicator_id,
    "value",
    unit,
    value_delivered,
    unit_delivered,
    raw_text,
    source_id,
    edition_year,
    file_name,
    sheet_name,
    cell_ref,
    row_no,
    col_no,
    place_level,
    priority,
    choice_rank = 1 and is_usable as is_current,
    quality_flag,
    quality_rule,
    quality_detail,
    proposed_value,
    observation_note
from {{ ref('int_observations_graded') }}
