-- grain: one row is a value that changed between two editions of one source by more than rounding in its unit
-- key: city_id, year, indicator_id, source_id, new_edition_year
with edition_values as (
    select
        city_id,
        "year",
        indicator_id,
        source_id,
        edition_year,
        "value"
    from {{ ref('int_observations_graded') }}
    where
        (source_id, indicator_id) in (
            select (several.source_id, several.indicator_id) from {{ ref('int_observations_graded') }} as several
            group by several.source_id, several.indicator_id
            having count(distinct coalesce(several.edition_year, 0)) > 1
        )
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
)

select
    neighbours.city_id,
    neighbours."year",
    neighbours.indicator_id,
    neighbours.source_id,
    neighbours.old_edition_year,
    neighbours.edition_year as new_edition_year,
    neighbours.old_value,
    neighbours."value" as new_value
from neighbours
left join {{ ref('dim_indicator') }} as indicators on neighbours.indicator_id = indicators.indicator_id
where
    neighbours.nth_edition > 1
    and abs(neighbours."value" - neighbours.old_value)
    > greatest(coalesce(indicators.revision_tolerance, 0), 1e-9 * abs(neighbours.old_value))
