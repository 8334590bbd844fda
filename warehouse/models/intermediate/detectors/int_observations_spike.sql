-- grain: one row is one value far off its own trend that returns to it, or one at the end of a series that another source contradicts. A
-- rate that is no slip of one file alone (int_values_followed) may be true and is only warned
-- key: observation_id
with trends as (
    select
        *,
        -- next to a larger spike a value looks wrong itself: it is checked in the second pass, when that neighbour is left out
        greatest(abs(lag(spike, 1, 0.0) over city_years), abs(lead(spike, 1, 0.0) over city_years)) as neighbour_spike
    from {{ ref('int_trends_delivered') }}
    window city_years as (partition by series_no, city_id order by "year")
),

checked as (
    select
        trends.observation_id,
        trends.log_value,
        trends.rate_unit,
        trends.expected_log,
        corroborated.witness_source_id,
        corroborated.witness_log_value,
        corroborated.proposed_log,
        abs(trends.spike)
        >= {{ above_noise("indicator_limits.spike_block", "indicator_limits.spike_noise", 'trends.noise') }}
        and abs(trends.spike) >= greatest(trends.neighbour_spike, indicator_limits.spike_city_noise * trends.city_noise)
        -- at the usual level of the city it is the years beside that are at another
        and abs(trends.own_offset) > abs(trends.spike) / 5
        and not {{ is_benchmark_year('trends."year"', "indicator_limits.spike_benchmark_every") }} as is_spike,
        trends.observation_id in (select followed.observation_id from {{ ref('int_values_followed') }} as followed) as is_followed,
        corroborated.spike_strength >= 1 as is_confirmed,
        corroborated.end_strength >= 1 as is_end_contradicted
    from trends
    inner join {{ ref('int_indicator_limits') }} as indicator_limits on trends.indicator_id = indicator_limits.indicator_id
    left join {{ ref('int_values_corroborated') }} as corroborated on trends.observation_id = corroborated.observation_id
    where not coalesce(corroborated.is_vouched, false)
)

select
    observation_id,
    case when is_spike or is_confirmed then 'spike' else 'series_end' end as rule,
    case when is_followed then 'warned' else 'blocked' end as grade,
    {{ spike_detail() }} as detail,
    {{ figure_of('coalesce(proposed_log, expected_log)', 'rate_unit') }} as proposed_value
from checked
where is_spike or is_confirmed or is_end_contradicted
