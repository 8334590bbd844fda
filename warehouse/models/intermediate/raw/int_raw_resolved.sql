-- grain: one row is one raw line with the place, unit and year it was resolved to, or the reason why it is rejected
-- key: raw_line_id
-- What code, name and province each say. A name that a province qualifies is looked up inside it alone: outside it is another place's.
with named as (
    select
        cells.* exclude (place_level),
        cells.place_level as delivered_place_level,
        catalog.place_level,
        catalog.canonical_unit as unit,
        catalog.indicator_id is not null as is_known_indicator,
        units.multiply_by,
        units.divide_by,
        place_codes.place_id as id_by_code,
        provinces.place_id as within_id,
        case
            when cells.within_key is null or catalog.place_level <> 'city' then place_aliases.place_id
            when place_aliases.place_id // 10000 = provinces.place_id // 10000 then place_aliases.place_id
            else places_within.place_id
        end as id_by_name,
        place_aliases.place_id as id_by_name_anywhere
    from {{ ref('stg_raw__cells') }} as cells
    left join {{ ref('indicator_catalog') }} as catalog on cells.indicator_id = catalog.indicator_id
    left join {{ ref('stg_seeds__place_codes') }} as place_codes
        on
            catalog.place_level = place_codes.place_level
            and cells.place_code = place_codes.place_code
            -- a code may have passed from one unit to another; without a year it means the first one
            and (place_codes.first_year is null or cells."year" >= place_codes.first_year)
            and (place_codes.last_year is null or coalesce(cells."year" <= place_codes.last_year, true))
    left join {{ ref('stg_seeds__place_aliases') }} as place_aliases
        on catalog.place_level = place_aliases.place_level and cells.place_key = place_aliases.alias
    left join {{ ref('stg_seeds__place_aliases') }} as provinces
        on cells.within_key = provinces.alias and provinces.place_level = 'province'
    left join {{ ref('stg_seeds__places_within') }} as places_within
        on provinces.place_id = places_within.province_id and cells.place_key = places_within.alias
    left join {{ ref('unit_factors') }} as units
        on
            coalesce(cells.unit_key, catalog.canonical_unit) = units.unit_text
            and catalog.canonical_unit = units.canonical_unit
),

-- Where a code is unknown the name decides, but only where the code may be a former one of a prefecture, inside its province: a county's
-- code (its last two digits are not 00) is a county's, whatever the name.
resolved as (
    select
        *,
        coalesce(
            id_by_code,
            case
                when
                    place_code is null
                    or (place_code % 100 = 0 and place_code // 10000 = id_by_name // 10000)
                    then id_by_name
            end,
            case when place_level = 'country' then 100000 end
        ) as place_id,
        case
            when id_by_code <> id_by_name then true
            -- the name is known, but not in the province that stands with it
            when place_level = 'city' and within_key is not null and coalesce(id_by_code, id_by_name) is not null
                then coalesce(within_id // 10000 <> coalesce(id_by_code, id_by_name) // 10000, true)
            when place_level = 'city' and within_key is not null and id_by_name is null then id_by_name_anywhere is not null
            -- a county's name beside the code of its prefecture
            when place_level = 'city' and id_by_code is not null and id_by_name is null and place_code % 100 = 0
                then coalesce(regexp_matches(place_key, '(县|旗|[^地林]区)$'), false)
            else false
        end as is_place_mismatch
    from named
),

-- an index or a rate that is its own canonical unit needs no line in the seed
converted as (
    select
        *,
        case
            when multiply_by is not null then "value" * multiply_by / divide_by
            when unit_key is null or unit_key = unit then "value"
        end as canonical_value,
        coalesce(multiply_by is null and unit_key <> unit, false) as is_unknown_unit
    from resolved
),

places as (
    select
        place_level,
        place_code,
        null as alias
    from {{ ref('stg_seeds__place_codes') }}
    union all
    select
        place_level,
        null as place_code,
        alias
    from {{ ref('stg_seeds__place_aliases') }}
),

-- a place of another level than the indicator's: a county directly under its province, a province, the country
elsewhere as (
    select
        converted.raw_line_id,
        min(places.place_level) as other_level
    from converted
    inner join places
        on
            (converted.place_code = places.place_code or converted.place_key = places.alias)
            and converted.place_level <> places.place_level
    where converted.place_id is null
    group by converted.raw_line_id
),

checked as (
    select
        converted.*,
        case
            when converted.delivered_place_level <> converted.place_level then converted.delivered_place_level
            else elsewhere.other_level
        end as found_level,
        case
            when reason is not null then reason
            when not is_known_indicator then 'unknown_indicator'
            when coalesce(is_place_mismatch, false) then 'place_mismatch'
            when found_level is not null then 'not_of_this_level'
            when place_id is null then 'unknown_city'
            when "year" is null or "year" not between 1900 and 2100 then 'unknown_year'
            when is_unknown_unit then 'unknown_unit'
            when canonical_value is null or not isfinite(canonical_value) then 'not_a_number'
        end as line_reason
    from converted
    left join elsewhere on converted.raw_line_id = elsewhere.raw_line_id
)

-- the same place, indicator and year may be twice in one file
select
    * exclude (
        reason, line_reason, sheet_order, delivered_place_level, place_code, within_key, unit_key, multiply_by, divide_by, id_by_code,
        within_id, id_by_name, id_by_name_anywhere, is_place_mismatch, is_unknown_unit
    ),
    case
        when line_reason is not null then line_reason
        when min(canonical_value) over same_cell <> max(canonical_value) over same_cell then 'conflicting_duplicate'
        when raw_line_id > min(raw_line_id) over same_cell then 'duplicate'
    end as reason
from checked
window same_cell as (partition by source_id, edition_year, file_name, place_id, indicator_id, "year", line_reason)
