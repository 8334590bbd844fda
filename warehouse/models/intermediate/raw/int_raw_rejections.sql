-- grain: one row is one delivered cell, row, column, sheet or file that was not taken
-- key: raw_line_id
-- names of several cities, which only a code or their province tells apart
with homonyms as (
    select
        alias,
        string_agg(cast(place_id as varchar), ', ' order by place_id) as codes
    from {{ ref('stg_seeds__places_within') }}
    group by alias
    having count(*) > 1
)

select
    raw_line_id,
    source_id,
    edition_year,
    file_name,
    sheet_name,
    cell_ref,
    place_code_text,
    place_text,
    year_text,
    indicator_id,
    unit_text,
    raw_text,
    reason,
    coalesce(
        detail,
        case
            when reason = 'unknown_city' and homonyms.alias is not null
                then
                    'expected one place, found the name ''' || place_text || ''' of several cities (' || homonyms.codes
                    || '); give their codes in the file, or say in the layout in which province the name stands (place: within)'
        end,
        case reason
            when 'unknown_indicator'
                then
                    'expected an indicator_id of the indicator catalog, found ' || coalesce('''' || indicator_id || '''', 'none')
                    || '; correct it in the file or add the indicator to seed indicator_catalog'
            when 'unknown_city'
                then
                    'expected the ' || place_level || ' by its GB/T 2260 code or a known spelling, found code '
                    || coalesce('''' || place_code_text || '''', 'none') || ' and name ' || coalesce('''' || place_text || '''', 'none')
                    || '; correct it in the file or add the spelling to seed city_aliases (province_aliases)'
            when 'not_of_this_level'
                then
                    'expected a ' || place_level || ', found a ' || found_level || ' with code '
                    || coalesce('''' || place_code_text || '''', 'none') || ' and name ' || coalesce('''' || place_text || '''', 'none')
                    || '; its figure is no figure of a ' || place_level || ', nothing needs to be done'
            when 'place_mismatch'
                then
                    'expected code, name and province of one place, found code '
                    || coalesce('''' || place_code_text || '''', 'none') || ', name ' || coalesce('''' || place_text || '''', 'none')
                    || coalesce(' and province ''' || place_within_text || '''', '')
                    || '; look whether codes or names are shifted by a row, and correct the file (or its layout: respell, within)'
            when 'unknown_year'
                then
                    'expected a year from 1900 to 2100, found '
                    || coalesce('''' || year_text || '''', 'none')
                    || '; correct it in the file'
            when 'unknown_unit'
                then
                    'expected a unit that converts to ' || unit || ', found ''' || unit_text
                    || '''; correct it in the file or layout, or add it to seed unit_factors'
            when 'not_a_number'
                then
                    'expected a finite number, found '
                    || coalesce('''' || raw_text || '''', 'nothing')
                    || '; correct the cell in the file'
            when 'duplicate'
                then
                    'expected one value for this place, year and indicator in the file, found the same value once more; '
                    || 'the first one is kept, nothing needs to be done'
            when 'conflicting_duplicate'
                then
                    'expected one value for this place, year and indicator in the file, found differing ones, all rejected; '
                    || 'keep the right one in the file'
            else 'not taken by the reader of the file'
        end
    ) as detail
from {{ ref('int_raw_resolved') }} as resolved
left join homonyms on resolved.place_key = homonyms.alias
where reason is not null
