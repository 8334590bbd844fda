-- grain: one row is one accepted value with its worst flag and its rank among the values for the same place, year and indicator
-- key: observation_id
with observations as (
    select * from {{ ref('int_observations_corrected') }}
),

flags as (
    select * from {{ ref('int_observations_flagged') }}
),

worst_flags as (
    select *
    from flags
    qualify row_number() over (partition by observation_id order by grade_rank desc, rule_rank asc) = 1
),

graded as (
    select
        observations.*,
        case
            when worst_flags.grade in ('blocked', 'quarantined') then worst_flags.grade
            when observations.is_corrected then 'corrected'
            else coalesce(worst_flags.grade, 'ok')
        end as quality_flag,
        case
            when worst_flags.grade in ('blocked', 'quarantined') then worst_flags.rule
            when observations.is_corrected then 'value_corrections'
            else worst_flags.rule
        end as quality_rule,
        worst_flags.detail as quality_detail,
        worst_flags.proposed_value
    from observations
    left join worst_flags on observations.observation_id = worst_flags.observation_id
),

-- a null edition sorts before every other
final as (
    select
        *,
        quality_flag <> 'blocked' as is_usable,
        cast(row_number() over (
            partition by city_id, place_level, indicator_id, "year"
            order by
                quality_flag = 'blocked', quality_flag = 'quarantined', priority asc, edition_year desc nulls last,
                file_name asc, row_no asc, col_no asc, source_id asc, observation_id asc
        ) as integer) as choice_rank
    from graded
)

select * from final
