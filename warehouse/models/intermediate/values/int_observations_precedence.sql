-- grain: one row is one value of int_observations_corrected with what decides which one is current
-- key: observation_id
{% set place = 'place_level, city_id, indicator_id, source_id' -%}
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
        {{ place }},
        "year",
        "year" - row_number() over (partition by {{ place }} order by "year") as run_no
    from graded
    where quality_flag in ('ok', 'warned')
    group by {{ place }}, "year"
),

runs as (
    select
        *,
        cast(count(*) over (partition by {{ place }}, run_no) as integer) as n_run_years
    from years
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
    graded.observation_id,
    graded.quality_flag,
    priorities.priority,
    earned.earned_priority,
    runs.n_run_years
from graded
left join {{ ref('int_source_priorities') }} as priorities
    on {{ same_keys('graded', 'priorities', ['source_id', 'indicator_id', '"year"']) }}
left join runs on {{ same_keys('graded', 'runs', ['place_level', 'city_id', 'indicator_id', 'source_id', '"year"']) }}
left join earned on runs.source_id = earned.source_id and runs.indicator_id = earned.indicator_id
