-- grain: one row is one accepted delivered value in its canonical unit, under the latest code of its place
-- key: observation_id
{{ config(materialized='view') }}

select
    raw_line_id as observation_id,
    place_id as city_id,
    "year",
    indicator_id,
    place_level,
    canonical_value as "value",
    unit,
    "value" as value_delivered,
    unit_text as unit_delivered,
    raw_text,
    source_id,
    edition_year,
    file_name,
    sheet_name,
    cell_ref,
    row_no,
    col_no,
    observation_note
from {{ ref('int_raw_resolved') }}
where reason is null
