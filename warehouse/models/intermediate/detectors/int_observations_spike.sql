-- grain: one row is one value far off its own trend that returns to it, or one at the end of a series that another source contradicts
-- key: observation_id
with checked as (
    select
        trends.*,
        corroborated.* exclude (observation_id),
        abs(trends.spike) >= {{ above_noise('limits.spike_block', 'limits.spike_noise', 'trends.noise') }}
        -- what is next to a larger spike is checked in the second pass, when that neighbour is left out
        and abs(trends.spike) >= greatest(trends.neighbour_spike, limits.spike_city_noise * trends.city_noise)
        -- at the usual level of the city it is the years beside that are at another
        and abs(trends.own_offset) > abs(trends.spike) / 5
        and not {{ is_benchmark_year('trends."year"', 'limits.spike_benchmark_every') }} as is_spike,
        corroborated.spike_strength >= 1 as is_contradicted
    from {{ ref('int_trends_delivered') }} as trends
    inner join {{ ref('int_indicator_limits') }} as limits on trends.indicator_id = limits.indicator_id
    left join {{ ref('int_values_corroborated') }} as corroborated on trends.observation_id = corroborated.observation_id
    where not coalesce(corroborated.is_vouched, false)
)

-- a rate that is no slip of one file alone may be true
select
    observation_id,
    case when is_spike or is_contradicted then 'spike' else 'series_end' end as rule,
    if(observation_id in {{ observations_where(ref('int_values_followed')) }}, 'warned', 'blocked') as grade,
    {{ spike_detail() }} as detail,
    {{ figure_of('coalesce(proposed_log, expected_log)', 'rate_unit') }} as proposed_value
from checked
where is_spike or is_contradicted or end_strength >= 1
