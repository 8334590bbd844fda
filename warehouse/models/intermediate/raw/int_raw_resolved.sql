-- grain: one row is one raw line with the place, unit and year it was resolved to, or the reason why it is rejected
-- key: raw_line_id
with cells as (
    select * from {{ ref('stg_raw__cells') }}
),

catalog as (
    select * from {{ ref('indicator_catalog') }}
),

units as (
    select * from {{ ref('unit_factors') }}
),

place_codes as (
    select * from {{ ref('stg_seeds__place_codes') }}
),

place_aliases as (
    select * from {{ ref('stg_seeds__place_aliases') }}
),

-- Where a code is unknown the name decides, but only inside the province of the code: counties share names with prefectures elsewhere.
resolved as (
    select
        cells.* exclude (place_level),
        cells.place_level as delivered_place_level,
        catalog.place_level,
        catalog.canonical_unit as unit,
        catalog.indicator_id is not null as is_known_indicator,
        units.multiply_by,
        units.divide_by,
        coalesce(
            place_codes.place_id,
            case
                when
                    cells.place_code is null or cells.place_code // 10000 = place_aliases.place_id // 10000
                    then place_aliases.place_id
            end,
            case when catalog.place_level = 'country' then 100000 end
        ) as place_id
    from cells
    left join catalog on cells.indicator_id = catalog.indicator_id
    left join place_codes on catalog.place_level = place_codes.place_level and cells.place_code = place_codes.place_code
    left join place_aliases on catalog.place_level = place_aliases.place_level and cells.place_key = place_aliases.alias
    left join units on coalesce(cells.unit_key, catalog.canonical_unit) = units.unit_text and catalog.canonical_unit = units.canonical_unit
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

judged as (
    select
        *,
        case
            when reason is not null then reason
            when not is_known_indicator then 'unknown_indicator'
            when place_id is null or coalesce(delivered_place_level, place_level) <> place_level then 'unknown_city'
            when "year" is null or "year" not between 1900 and 2100 then 'unknown_year'
            when is_unknown_unit then 'unknown_unit'
            when canonical_value is null or not isfinite(canonical_value) then 'not_a_number'
        end as line_reason
    from converted
),

-- the same place, indicator and year twice in one file
repeated as (
    select
        raw_line_id,
        count(*) over same_key as n_same_key,
        min(canonical_value) over same_key = max(canonical_value) over same_key as is_identical,
        row_number() over (
            partition by source_id, edition_year, file_name, place_id, indicator_id, "year" order by raw_line_id
        ) as nth_of_key
    from judged
    where line_reason is null
    window same_key as (partition by source_id, edition_year, file_name, place_id, indicator_id, "year")
),

final as (
    select
        judged.* exclude (reason, line_reason),
        coalesce(
            judged.line_reason,
            case
                when repeated.n_same_key > 1 and not repeated.is_identical then 'conflicting_duplicate'
                when repeated.nth_of_key > 1 then 'duplicate'
            end
        ) as reason
    from judged
    left join repeated on judged.raw_line_id = repeated.raw_line_id
)

select * from final
