-- grain: one row is one raw line of the landing, a delivered value or something delivered that was not taken
-- key: raw_line_id
with raw_lines as (
    select * from {{ source('raw', 'observations') }}
),

typed as (
    select
        cast(source_id as varchar) as source_id,
        cast(edition_year as integer) as edition_year,
        cast(file_name as varchar) as file_name,
        cast(sheet_name as varchar) as sheet_name,
        cast(cell_ref as varchar) as cell_ref,
        cast(row_no as integer) as row_no,
        cast(col_no as integer) as col_no,
        cast(place_level as varchar) as place_level,
        cast(place_code_text as varchar) as place_code_text,
        cast(place_text as varchar) as place_text,
        cast(year_text as varchar) as year_text,
        cast("year" as integer) as "year",
        trim(cast(indicator_id as varchar)) as indicator_id,
        cast(unit_text as varchar) as unit_text,
        cast(raw_text as varchar) as raw_text,
        cast("value" as double) as "value",
        cast(reason as varchar) as reason,
        cast(detail as varchar) as detail,
        cast(observation_note as varchar) as observation_note,
        cast(place_within_text as varchar) as place_within_text,
        cast(file_row_number as integer) as line_no
    from raw_lines
),

as_of as (
    select
        *,
        min(line_no) over (partition by source_id, edition_year, file_name, sheet_name) as sheet_order
    from typed
    where {{ is_as_of() }}
),

-- the key of a name is made once, not for each of its cells: that takes longer than all else here
place_keys as (
    select
        place_text as spelling,
        {{ place_key('spelling') }} as place_key
    from as_of
    group by spelling
)

select
    cast(row_number() over (
        order by
            source_id, edition_year nulls first, file_name, sheet_order, sheet_name, row_no, col_no, indicator_id, "year",
            place_code_text, place_text, raw_text, reason, line_no
    ) as integer) as raw_line_id,
    as_of.* exclude (line_no),
    {{ six_digit_code('place_code_text') }} as place_code,
    place_keys.place_key,
    {{ place_key('place_within_text') }} as within_key,
    {{ lookup_key('unit_text') }} as unit_key
from as_of
left join place_keys on as_of.place_text = place_keys.spelling
