-- grain: one row is one value that two independent sources or more agree against, further away than two vintages of one quantity can be
-- key: observation_id
with witnessed as (
    select * from {{ ref('int_values_witnessed') }}
),

limits as (
    select
        indicator_id,
        limits['revision.max'] as differs_by,
        limits['outvoted.spread'] as spread,
        limits['outvoted.weight'] as least_weight,
        limits['spike.other_share'] as other_share
    from {{ ref('int_indicator_limits') }}
    where limits['revision.max'] is not null
),

-- what those who stand too far away hold in the middle: one of them that is wrong itself does not move it
expected as (
    select
        witnessed.*,
        limits.* exclude (indicator_id),
        abs(witnessed.gap) >= limits.differs_by as is_far,
        median(case when abs(witnessed.gap) >= limits.differs_by and witnessed.is_trusted then witnessed.other_log_value end) over (
            partition by witnessed.observation_id
        ) as expected_log
    from witnessed
    inner join limits on witnessed.indicator_id = limits.indicator_id
),

judged as (
    select
        *,
        coalesce(
            is_far
            and is_trusted
            and abs(other_log_value - expected_log) <= spread * abs(log_value - expected_log)
            -- those who leave their own trend to agree repeat an error, one the other's
            and coalesce(abs(other_log_value - other_expected_log) < other_share * abs(gap), true),
            false
        ) as is_against
    from expected
),

votes as (
    select
        observation_id,
        any_value(log_value) as log_value,
        any_value(expected_log) as expected_log,
        any_value(least_weight) as least_weight,
        coalesce(sum(cast(round(weight * 1000) as bigint)) filter (where is_against), 0) / 1000 as weight_against,
        coalesce(sum(cast(round(weight * 1000) as bigint)) filter (where not is_far), 0) / 1000 as weight_for,
        string_agg(other_source_id, ', ' order by other_source_id) filter (where is_against and weight > 0) as source_ids
    from judged
    group by observation_id
),

final as (
    select
        observation_id,
        'outvoted' as rule,
        'blocked' as grade,
        'expected about ' || {{ short_number('exp(expected_log)') }} || ' as in ' || source_ids || ', which agree, found '
        || {{ short_number('exp(log_value)') }} || ': further apart than vintages of one quantity are' as detail,
        exp(expected_log) as proposed_value
    from votes
    where weight_against >= least_weight and weight_against >= 2 * weight_for
)

select * from final
