-- grain: one row is a year in which a source has a value of a place and indicator that no rule blocks or quarantines, with the length of
-- the run of such years around it and the place that the source has earned
-- key: place_level, city_id, indicator_id, source_id, year
with numbered as (
    select
        place_level,
        city_id,
        indicator_id,
        source_id,
        "year",
        -- years without a gap have one difference from their place in the list
        "year" - row_number() over (partition by place_level, city_id, indicator_id, source_id order by "year") as run_no
    from {{ ref('int_observations_corrected') }}
    where
        observation_id not in (
            select flagged.observation_id from {{ ref('int_observations_flagged') }} as flagged
            where flagged.grade <> 'warned'
        )
    group by place_level, city_id, indicator_id, source_id, "year"
),

earned as (
    select distinct
        {{ publisher_of('source_id') }} as source_id,
        indicator_id,
        earned_priority
    from {{ ref('int_sources_related') }}
    where earned_priority is not null
)

select
    numbered.* exclude (run_no),
    earned.earned_priority,
    cast(
        count(*) over (
            partition by numbered.place_level, numbered.city_id, numbered.indicator_id, numbered.source_id, numbered.run_no
        ) as integer
    ) as n_run_years
from numbered
left join earned on numbered.source_id = earned.source_id and numbered.indicator_id = earned.indicator_id
