-- grain: one row is an indicator of an edition of a source that has city-years in common with earlier editions, files without an edition
-- among them, and how many of these changed by more than revisions do
-- key: source_id, indicator_id, edition_year
with edition_values as (
    select
        observations.source_id,
        observations.indicator_id,
        coalesce(observations.edition_year, 0) as edition_no,
        observations.edition_year,
        observations.city_id,
        observations."year",
        catalog.kind in ('rate', 'index') as is_rate,
        observations."value"
    from {{ ref('int_raw_observations') }} as observations
    inner join {{ ref('indicator_catalog') }} as catalog on observations.indicator_id = catalog.indicator_id
    where
        observations.place_level = 'city'
        and (observations.source_id, observations.indicator_id) in (
            select (several.source_id, several.indicator_id) from {{ ref('int_raw_observations') }} as several
            group by several.source_id, several.indicator_id
            having count(distinct coalesce(several.edition_year, 0)) > 1
        )
    qualify row_number() over (
        partition by
            observations.source_id, observations.indicator_id, observations.edition_year, observations.city_id, observations."year"
        order by observations.file_name, observations.observation_id
    ) = 1
),

paired as (
    select
        *,
        lag("value") over (partition by source_id, indicator_id, city_id, "year" order by edition_no) as old_value
    from edition_values
),

-- five points of growth, or a fifth of a level
checked as (
    select
        *,
        case when is_rate then abs("value" - old_value) > 5 else abs("value" - old_value) > 0.2 * abs(old_value) end as is_far
    from paired
    where old_value is not null
)

-- with fewer than 30 city-years in common the editions are not compared; fewer than 100 stop nothing
select
    source_id,
    indicator_id,
    edition_year,
    count(*) as n_common,
    avg(cast(is_far as integer)) as far_share,
    case when count(*) >= 100 then avg(cast(is_far as integer)) end as far_share_large
from checked
group by source_id, indicator_id, edition_year
having count(*) >= 30
order by source_id, indicator_id, edition_year
