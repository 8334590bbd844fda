-- grain: one row is one delivered cell, row, column, sheet or file that was not taken
-- key: none of its own; one row for each raw_line_id of int_raw_rejections
select
    source_id,
    edition_year,
    file_name,
    sheet_name,
    cell_ref,
    raw_text,
    reason,
    detail,
    place_code_text,
    place_text,
    year_text,
    indicator_id,
    unit_text
from {{ ref('int_raw_rejections') }}
