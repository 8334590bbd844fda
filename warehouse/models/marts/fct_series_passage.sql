-- grain: one row is a year in which the current series of a city passes from one source to another
-- key: city_id, year, indicator_id
with graded as (
    select * from {{ ref('int_observations_graded') }}
    where place_level = 'city'
),

-- the best value of each source, and the one of them that is current
source_values as (
    select
        *,
        case when "value" > 0 then ln("value") end as log_value
    from graded
    qualify row_number() over (partition by city_id, indicator_id, "year", source_id order by choice_rank) = 1
),

current_values as (
    select
        *,
        lag(source_id) over city_years as source_before,
        lag("year") over city_years as year_before,
        lag("value") over city_years as value_before
    from source_values
    where choice_rank = 1 and is_usable
    window city_years as (partition by city_id, indicator_id order by "year")
),

passages as (
    select * from current_values
    where source_id <> source_before
),

trusted_values as (
    select * from source_values
    where is_usable and quality_flag <> 'quarantined' and log_value is not null
),

distances as (
    select * from {{ distances_of_passages('passages', 'trusted_values') }}
)

select
    passages.city_id,
    passages."year",
    passages.indicator_id,
    passages.source_before as old_source_id,
    passages.year_before as old_year,
    passages.value_before as old_value,
    passages.source_id as new_source_id,
    passages."value" as new_value,
    case
        when left_behind.observation_id is null then 'ended'
        when left_behind.quality_flag in ('blocked', 'quarantined') then left_behind.quality_flag
        else 'outranked'
    end as old_source_is,
    distances.common_year,
    -- rounded, since the last digits of a difference of logarithms are not exact
    round(exp(distances.distance), 12) as chain_ratio,
    coalesce(passages.quality_rule = 'stitched', false) as is_flagged
from passages
left join distances on passages.observation_id = distances.observation_id
left join source_values as left_behind
    on
        passages.city_id = left_behind.city_id
        and passages.indicator_id = left_behind.indicator_id
        and passages."year" = left_behind."year"
        and passages.source_before = left_behind.source_id
