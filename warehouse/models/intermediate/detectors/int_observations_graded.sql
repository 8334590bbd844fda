-- grain: one row is one accepted value with its worst flag and its rank among the values for the same place, year and indicator
-- key: observation_id
with flags as (
    select * from {{ ref('int_observations_flagged') }}
    union all
    select
        *,
        99 as rule_rank
    from (
        select * from {{ ref('int_observations_stitched') }}
        union all
        {{ flags_of_copies(ref('int_observations_stitched'), ref('int_values_copied')) }}
    ) as stitched
),

worst_flags as (
    select *
    from flags
    qualify row_number() over (partition by observation_id order by grade asc, rule_rank asc, detail asc) = 1
),

graded as (
    select
        observations.*,
        precedence.priority,
        precedence.earned_priority,
        precedence.n_run_years,
        observations.is_corrected and coalesce(worst_flags.grade = 'warned', true) as is_correction_kept,
        if(is_correction_kept, 'corrected', coalesce(worst_flags.grade, 'ok')) as quality_flag,
        if(is_correction_kept, 'value_corrections', worst_flags.rule) as quality_rule,
        worst_flags.detail as quality_detail,
        worst_flags.proposed_value
    from {{ ref('int_observations_corrected') }} as observations
    left join worst_flags on observations.observation_id = worst_flags.observation_id
    left join {{ ref('int_observations_precedence') }} as precedence on observations.observation_id = precedence.observation_id
)

select
    * exclude (earned_priority, n_run_years, is_correction_kept),
    quality_flag <> 'blocked' as is_usable,
    cast(row_number() over (
        partition by city_id, place_level, indicator_id, "year"
        order by {{ order_of_choice('quality_flag') }}
    ) as integer) as choice_rank
from graded
