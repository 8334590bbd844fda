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
        limits['outvoted.weight'] as least_weight
    from {{ ref('int_indicator_limits') }}
    where limits['revision.max'] is not null
),

votes as (
    select
        witnessed.observation_id,
        any_value(witnessed.log_value) as log_value,
        coalesce(sum(cast(round(witnessed.weight * 1000) as bigint)) filter (
            where abs(witnessed.gap) >= limits.differs_by and witnessed.is_trusted
        ), 0) / 1000 as weight_against,
        coalesce(sum(cast(round(witnessed.weight * 1000) as bigint)) filter (where abs(witnessed.gap) < limits.differs_by), 0)
        / 1000 as weight_for,
        median(witnessed.other_log_value) filter (where abs(witnessed.gap) >= limits.differs_by) as expected_log,
        max(witnessed.gap) filter (where abs(witnessed.gap) >= limits.differs_by)
        - min(witnessed.gap) filter (where abs(witnessed.gap) >= limits.differs_by) as disagreement,
        min(abs(witnessed.gap)) filter (where abs(witnessed.gap) >= limits.differs_by) as least_gap,
        string_agg(witnessed.other_source_id, ', ' order by witnessed.other_source_id) filter (
            where abs(witnessed.gap) >= limits.differs_by and witnessed.weight > 0
        ) as source_ids,
        any_value(limits.spread) as spread,
        any_value(limits.least_weight) as least_weight
    from witnessed
    inner join limits on witnessed.indicator_id = limits.indicator_id
    group by witnessed.observation_id
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
    where
        weight_against >= least_weight
        and weight_against >= 2 * weight_for
        and disagreement <= spread * least_gap
)

select * from final
