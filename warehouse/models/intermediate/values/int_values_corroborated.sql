-- grain: one row is a value of int_values_series that independent sources have too, with what they say together
-- key: observation_id
with compared as (
    select * from {{ ref('int_values_compared') }}
),

indicator_limits as (
    select * from {{ ref('int_indicator_limits') }}
),

judged as (
    select
        compared.*,
        compared.gap - coalesce(compared.gap_change, 0) as usual_gap,
        compared.gap_change / nullif(indicator_limits.limits['spike.source'], 0) as strength,
        compared.gap_change / nullif(indicator_limits.limits['series_end.source'], 0) as end_strength,
        abs(compared.gap) <= indicator_limits.limits['veto.equal'] as is_equal,
        compared.spike * compared.other_spike > 0
        and abs(compared.other_spike) >= indicator_limits.limits['veto.same_move'] * abs(compared.spike) as is_same_move,
        -- the value leaves its trend by as much as the gap between the sources changed, and the other source stays on its trend; sources
        -- that are closer than usual only have the same vintage for once
        compared.spike * compared.gap_change > 0
        and abs(compared.gap) > abs(compared.gap - compared.gap_change)
        and abs(compared.spike) >= indicator_limits.limits['spike.own_share'] * abs(compared.gap_change)
        and abs(compared.other_spike) < indicator_limits.limits['spike.other_share'] * abs(compared.gap_change) as is_own_spike,
        compared.is_end
        and abs(compared.gap) > abs(compared.gap - compared.gap_change)
        and coalesce(compared.step_before, compared.step_after) * compared.gap_change > 0
        and abs(coalesce(compared.step_before, compared.step_after))
        >= indicator_limits.limits['spike.own_share'] * abs(compared.gap_change)
        and abs(case when compared.step_before is null then compared.other_step_after else compared.other_step_before end)
        < indicator_limits.limits['spike.other_share'] * abs(compared.gap_change) as is_own_end
    from compared
    inner join indicator_limits on compared.indicator_id = indicator_limits.indicator_id
),

final as (
    select
        observation_id,
        bool_or(is_equal) as is_confirmed,
        bool_or(is_equal or is_same_move) as is_vouched,
        max(abs(strength)) filter (where is_own_spike and n_nearby >= 2) as spike_strength,
        max(abs(end_strength)) filter (where is_own_end and n_nearby >= 2) as end_strength,
        arg_min(other_source_id, (abs(usual_gap), other_source_id)) as witness_source_id,
        arg_min(other_log_value, (abs(usual_gap), other_source_id)) as witness_log_value,
        arg_min(other_log_value + usual_gap, (abs(usual_gap), other_source_id)) as proposed_log
    from judged
    group by observation_id
)

select * from final
