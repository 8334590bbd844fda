-- grain: one row is one value after a series left for good another source with which it agreed, while that one stayed on its trend
-- key: observation_id
with compared as (
    select * from {{ ref('int_values_compared') }}
),

blocked as (
    select * from {{ ref('int_observations_blocked') }}
),

limits as (
    select
        indicator_id,
        limits['level_break.quarantine'] as step_at,
        limits['level_break.equal'] as equal_within,
        limits['level_break.equal_share'] as equal_share,
        limits['spike.own_share'] as own_share,
        limits['spike.other_share'] as other_share
    from {{ ref('int_indicator_limits') }}
    where limits['level_break.quarantine'] is not null
),

steps as (
    select
        compared.*,
        limits.* exclude (indicator_id),
        compared.gap - lag(compared.gap) over pair_years as gap_step,
        lag(compared.gap) over pair_years as gap_before,
        lag(compared.gap, 2) over pair_years as gap_two_before,
        min(abs(compared.gap)) over (
            partition by compared.series_no, compared.other_source_id, compared.city_id
            order by compared."year" rows between current row and unbounded following
        ) as least_gap_after
    from compared
    inner join limits on compared.indicator_id = limits.indicator_id
    left join blocked on compared.observation_id = blocked.observation_id
    left join blocked as other_blocked on compared.other_observation_id = other_blocked.observation_id
    where blocked.observation_id is null and other_blocked.observation_id is null
    window pair_years as (partition by compared.series_no, compared.other_source_id, compared.city_id order by compared."year")
),

breaks as (
    select
        series_no,
        other_source_id,
        city_id,
        min("year") as break_year
    from steps
    where
        abs(gap_step) >= step_at
        -- sources of different vintages count as equal when their gap is small against the step
        and abs(gap_before) <= greatest(equal_within, equal_share * abs(gap_step))
        and abs(gap_two_before) <= greatest(equal_within, equal_share * abs(gap_step))
        and least_gap_after >= step_at / 2
        and step_before * gap_step > 0
        and abs(step_before) >= own_share * abs(gap_step)
        and abs(other_step_before) < other_share * abs(gap_step)
    group by series_no, other_source_id, city_id
),

final as (
    select
        steps.observation_id,
        'level_break' as rule,
        'quarantined' as grade,
        'expected about ' || {{ short_number('exp(steps.other_log_value)') }} || ' as in ' || steps.other_source_id
        || ', with which it agreed before ' || breaks.break_year || ', found ' || {{ short_number('exp(steps.log_value)') }}
        || ': another coverage, or a revision that only this source has' as detail,
        cast(null as double) as proposed_value
    from steps
    inner join breaks
        on
            steps.series_no = breaks.series_no
            and steps.other_source_id = breaks.other_source_id
            and steps.city_id = breaks.city_id
            and steps."year" >= breaks.break_year
    qualify row_number() over (partition by steps.observation_id order by breaks.break_year asc, steps.other_source_id asc) = 1
)

select * from final
