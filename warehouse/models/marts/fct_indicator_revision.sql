-- grain: one row is a value that changed between two editions of one source
-- key: city_id, year, indicator_id, source_id, new_edition_year
with graded as (
    select * from {{ ref('int_observations_graded') }}
),

edition_values as (
    select
        city_id,
        "year",
        indicator_id,
        source_id,
        edition_year,
        "value"
    from graded
    qualify row_number() over (
        partition by place_level, city_id, "year", indicator_id, source_id, edition_year order by choice_rank
    ) = 1
),

neighbours as (
    select
        *,
        lag(edition_year) over editions as old_edition_year,
        lag("value") over editions as old_value,
        row_number() over editions as nth_edition
    from edition_values
    window editions as (partition by city_id, "year", indicator_id, source_id order by edition_year nulls first)
),

final as (
    select
        city_id,
        "year",
        indicator_id,
        source_id,
        old_edition_year,
        edition_year as new_edition_year,
        old_value,
        "value" as new_value
    from neighbours
    where nth_edition > 1 and "value" <> old_value
)

select * from final
