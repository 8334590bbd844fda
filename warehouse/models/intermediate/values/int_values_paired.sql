-- grain: one row is a value of int_values_series beside that of another source whose word counts, for the same place, year and indicator
-- key: observation_id, other_source_id
with witnesses as (
    {{ latest_edition(ref('int_trends_delivered')) }}
)

select
    trends.* exclude (neighbour_spike),
    witnesses.source_id as other_source_id,
    witnesses.observation_id as other_observation_id,
    witnesses.log_value as other_log_value,
    witnesses.spike as other_spike,
    witnesses.step_before as other_step_before,
    witnesses.step_after as other_step_after,
    witnesses.expected_log as other_expected_log,
    trends.log_value - witnesses.log_value as gap,
    related.relation,
    related.priority,
    related.other_priority
from {{ ref('int_trends_delivered') }} as trends
inner join {{ ref('int_sources_related') }} as related
    on
        trends.source_id = related.source_id
        and trends.indicator_id = related.indicator_id
        and related.is_heard
inner join witnesses
    on
        {{ same_keys('trends', 'witnesses', ['indicator_id', 'city_id', '"year"']) }}
        and related.other_source_id = witnesses.source_id
-- what was made and not measured says nothing of others
where witnesses.observation_id not in {{ observations_where(ref('int_observations_constructed')) }}
