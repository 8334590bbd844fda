-- grain: one row is one value of int_observations_corrected with what decides which one is current
-- key: observation_id
with grades as (
    select
        observation_id,
        min(grade) as quality_flag
    from {{ ref('int_observations_flagged') }}
    group by observation_id
),

graded as (
    select
        observations.*,
        coalesce(grades.quality_flag, 'ok') as quality_flag
    from {{ ref('int_observations_corrected') }} as observations
    left join grades on observations.observation_id = grades.observation_id
),

-- years in which the source has a value that no rule blocks or quarantines; without a gap they have one difference from their place in
-- the list
years as (
    select
        place_level,
        city_id,
        indicator_id,
        source_id,
        "year",
        "year" - row_number() over (partition by place_level, city_id, indicator_id, source_id order by "year") as run_no
    from graded
    where quality_flag in ('ok', 'warned')
    group by place_level, city_id, indicator_id, source_id, "year"
),

earned as (
    select distinct
        {{ publisher_of('source_id') }} as source_id,
        indicator_id,
        earned_priority
    from {{ ref('int_sources_related') }}
    where earned_priority is not null
),

runs as (
    select
        years.*,
        earned.earned_priority,
        cast(count(*) over (
            partition by years.place_level, years.city_id, years.indicator_id, years.source_id, years.run_no
        ) as integer) as n_run_years
    from years
    left join earned on years.source_id = earned.source_id and years.indicator_id = earned.indicator_id
)

select
    graded.observation_id,
    graded.quality_flag,
    priorities.priority,
    runs.earned_priority,
    runs.n_run_years
from graded
left join {{ ref('int_source_priorities') }} as priorities
    on {{ same_keys('graded', 'priorities', ['source_id', 'indicator_id', '"year"']) }}
left join runs
    on {{ same_keys('graded', 'runs', ['place_level', 'city_id', 'indicator_id', 'source_id', '"year"']) }}
