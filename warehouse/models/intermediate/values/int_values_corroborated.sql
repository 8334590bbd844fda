-- grain: one row is a value of int_values_series that independent sources have too, with what they say together
-- key: observation_id
with witnessed as (
    select * from {{ ref('int_values_witnessed') }}
),

indicator_limits as (
    select * from {{ ref('int_indicator_limits') }}
),

votes as (
    select
        observation_id,
        any_value(indicator_id) as indicator_id,
        coalesce(sum(cast(round(weight * 1000) as bigint)) filter (where statement = 'confirms'), 0) / 1000 as weight_for,
        coalesce(sum(cast(round(weight * 1000) as bigint)) filter (where is_equal), 0) / 1000 as weight_equal,
        coalesce(sum(cast(round(weight * 1000) as bigint)) filter (where statement = 'denies'), 0) / 1000 as weight_against,
        max(abs(strength)) filter (where is_own_spike and n_nearby >= 2 and is_trusted) as spike_strength,
        max(abs(end_strength)) filter (where is_own_end and n_nearby >= 2 and is_trusted) as end_strength,
        max(n_agreeing) as n_agreeing,
        -- the source that most others agree with, then the one that is usually nearest
        arg_min(other_source_id, (-n_agreeing, abs(usual_gap), other_source_id)) as witness_source_id,
        arg_min(other_observation_id, (-n_agreeing, abs(usual_gap), other_source_id)) as witness_observation_id,
        arg_min(other_log_value, (-n_agreeing, abs(usual_gap), other_source_id)) as witness_log_value,
        arg_min(other_expected_log, (-n_agreeing, abs(usual_gap), other_source_id)) as witness_expected_log,
        arg_min(other_log_value + usual_gap, (-n_agreeing, abs(usual_gap), other_source_id)) as proposed_log
    from witnessed
    group by observation_id
),

-- no witness clears a value against more who deny it, and a noisy one clears nothing alone
final as (
    select
        votes.* exclude (indicator_id),
        votes.weight_equal >= indicator_limits.limits['witness.least_weight'] and votes.weight_equal > votes.weight_against as is_confirmed,
        votes.weight_for >= indicator_limits.limits['witness.least_weight'] and votes.weight_for > votes.weight_against as is_vouched
    from votes
    inner join indicator_limits on votes.indicator_id = indicator_limits.indicator_id
)

select * from final
