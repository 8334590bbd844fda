-- grain: one row is one value that still leaves its trend and returns when the values blocked by the first pass are left out, or one at an
-- end of a series that is further from the year beside it than two vintages can be
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

limits as (
    select
        indicator_id,
        limits['spike.block'] as block_at,
        limits['spike.quarantine'] as quarantine_at,
        limits['spike.noise'] as noise_multiple,
        limits['spike.quarantine_noise'] as quarantine_noise,
        limits['spike.benchmark_every'] as benchmark_every,
        limits['spike.quarantine_share'] as quarantine_share,
        limits['revision.max'] as end_at,
        limits['series_end.alone'] as end_block_at,
        limits['series_end.years'] as end_years
    from {{ ref('int_indicator_limits') }}
),

judged as (
    select
        trends.observation_id,
        trends.log_value,
        trends.expected_log,
        corroborated.witness_source_id,
        corroborated.witness_log_value,
        corroborated.proposed_log,
        trends.is_end
        and trends.n_years >= limits.end_years
        and trends.end_step >= {{ above_noise('limits.end_at', 'limits.noise_multiple', 'trends.noise') }} as is_lone_end,
        case
            when
                abs(trends.spike) >= {{ above_noise('limits.block_at', 'limits.noise_multiple', 'trends.noise') }}
                and not {{ is_benchmark_year('trends."year"', 'limits.benchmark_every') }}
                then 'blocked'
            when
                abs(trends.spike) >= {{ above_noise('limits.quarantine_at', 'limits.quarantine_noise', 'trends.noise') }}
                then 'quarantined'
            when
                corroborated.spike_strength >= limits.quarantine_share or corroborated.end_strength >= limits.quarantine_share
                then 'quarantined'
            -- nobody else has the year: it may be true, so it is only said
            when is_lone_end then case when trends.end_step >= limits.end_block_at then 'blocked' else 'warned' end
        end as grade
    from trends
    inner join limits on trends.indicator_id = limits.indicator_id
    left join {{ ref('int_values_corroborated') }} as corroborated on trends.observation_id = corroborated.observation_id
    where not coalesce(corroborated.is_vouched, false)
)

select
    observation_id,
    case when is_lone_end then 'series_end' else 'spike' end as rule,
    grade,
    {{ spike_detail() }} as detail,
    exp(coalesce(proposed_log, expected_log)) as proposed_value
from judged
where grade is not null
