-- grain: one row is one value that leaves its trend without the values blocked by the first pass, or an end further off than vintages are
-- key: observation_id
with trends as (
    select
        *,
        -- at an end: off the nearest year, and off the next one, so that the nearest is not the odd one
        case
            when step_before is null then least(abs(step_after), abs(residual - lead(residual, 2) over city_years))
            else least(abs(step_before), abs(residual - lag(residual, 2) over city_years))
        end as end_step,
        count(*) over (partition by series_no, city_id) as n_years
    from {{ ref('int_trends_cleaned') }}
    window city_years as (partition by series_no, city_id order by "year")
),

-- a source of whatever relation that is nearer to what the years beside lead one to expect
contradicted as (
    select distinct trends.observation_id
    from trends
    inner join {{ ref('int_values_paired') }} as paired on trends.observation_id = paired.observation_id
    where
        paired.other_observation_id in {{ observations_where(ref('int_trends_cleaned')) }}
        and abs(paired.other_log_value - trends.expected_log) < abs(trends.log_value - trends.expected_log) / 2
),

checked as (
    select
        trends.*,
        corroborated.* exclude (observation_id),
        -- of two years that leave the trend to opposite sides either may be the wrong one, a step that mostly stays may be right, and a
        -- census counts another way than the years beside it are estimated
        abs(trends.spike) >= greatest(
            limits.spike_city_noise * trends.city_noise,
            1.5 * trends.neighbour_spike,
            greatest(abs(trends.step_before), abs(trends.step_after)) / 2
        )
        and abs(trends.own_offset) > abs(trends.spike) / 5
        and not {{ is_benchmark_year('trends."year"', 'limits.spike_benchmark_every') }} as is_odd,
        abs(trends.spike)
        >= {{ above_noise('limits.spike_quarantine', 'limits.spike_quarantine_noise', 'trends.noise') }} as is_small_spike,
        trends.is_end
        and trends.n_years >= limits.series_end_years
        and trends.end_step >= {{ above_noise('limits.revision_max', 'limits.spike_noise', 'trends.noise') }} as is_lone_end,
        case
            when is_odd and abs(trends.spike) >= {{ above_noise('limits.spike_block', 'limits.spike_noise', 'trends.noise') }}
                then 'blocked'
            when is_odd and is_small_spike then 'quarantined'
            when
                greatest(corroborated.spike_strength, corroborated.end_strength) >= limits.spike_quarantine_share
                and abs(trends.log_value - trends.expected_log) >= 2 * trends.city_noise
                then 'quarantined'
            -- where nobody has another figure of the year, or the city swings as much by itself, it may be true, so it is only said
            when is_lone_end and trends.end_step >= limits.series_end_alone then 'blocked'
            when (is_lone_end or is_small_spike) and contradicted.observation_id is not null then 'quarantined'
            when is_lone_end or is_small_spike then 'warned'
        end as grade
    from trends
    inner join {{ ref('int_indicator_limits') }} as limits on trends.indicator_id = limits.indicator_id
    left join {{ ref('int_values_corroborated') }} as corroborated on trends.observation_id = corroborated.observation_id
    left join contradicted on trends.observation_id = contradicted.observation_id
    where not coalesce(corroborated.is_vouched, false)
)

select
    observation_id,
    case when is_lone_end then 'series_end' else 'spike' end as rule,
    if(observation_id in {{ observations_where(ref('int_values_followed')) }}, 'warned', grade) as grade,
    {{ spike_detail() }} as detail,
    {{ figure_of('coalesce(proposed_log, expected_log)', 'rate_unit') }} as proposed_value
from checked
where grade is not null
