-- grain: one row is the first value after a series left its trend for good, as after an official revision or a change of boundaries
-- key: observation_id
with limits as (
    select
        indicator_id,
        limits['level_break.step'] as step_at,
        limits['level_break.noise'] as noise_multiple
    from {{ ref('int_indicator_limits') }}
    where limits['spike.block'] is not null
)

select
    trends.observation_id,
    'level_break' as rule,
    'warned' as grade,
    'expected about ' || {{ short_number('exp(trends.log_value - trends.step_before)') }} || ' from the year before, found '
    || {{ short_number('exp(trends.log_value)') }} || ', and the level stays: a revision, a new boundary or a new coverage' as detail,
    cast(null as double) as proposed_value
from {{ ref('int_trends_cleaned') }} as trends
inner join limits on trends.indicator_id = limits.indicator_id
where
    abs(trends.step_before) >= {{ above_noise('limits.step_at', 'limits.noise_multiple', 'trends.noise') }}
    and abs(trends.spike) < 0.5 * {{ above_noise('limits.step_at', 'limits.noise_multiple', 'trends.noise') }}
