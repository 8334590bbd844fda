-- grain: one row is the first value after a series left its trend for good, as after an official revision or a change of boundaries
-- key: observation_id
with border_changes as (
    select
        city_id,
        "year",
        string_agg(event_id, ', ' order by event_id) as event_ids
    from {{ ref('int_boundary_years') }}
    where years_after >= 0
    group by city_id, "year"
)

select
    trends.observation_id,
    'level_break' as rule,
    'warned' as grade,
    'expected about ' || {{ short_number('exp(trends.log_value - trends.step_before)') }} || ' from the year before, found '
    || {{ short_number('exp(trends.log_value)') }} || ', and the level stays: '
    || coalesce(
        'the borders changed (event ' || border_changes.event_ids || ' of dim_boundary_event)',
        'a revision, a new boundary or a new coverage'
    ) as detail
from {{ ref('int_trends_cleaned') }} as trends
inner join {{ ref('int_indicator_limits') }} as limits on trends.indicator_id = limits.indicator_id and limits.spike_block is not null
left join border_changes on trends.city_id = border_changes.city_id and trends."year" = border_changes."year"
where
    abs(trends.step_before) >= {{ above_noise('limits.level_break_step', 'limits.level_break_noise', 'trends.noise') }}
    and abs(trends.spike) < 0.5 * {{ above_noise('limits.level_break_step', 'limits.level_break_noise', 'trends.noise') }}
