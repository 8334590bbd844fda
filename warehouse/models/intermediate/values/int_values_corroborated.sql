-- grain: one row is a value of int_values_series that independent sources have too, with what they say together
-- key: observation_id
with related as (
    select * from {{ ref('int_sources_related') }}
    where relation <> 'independent'
),

checked as (
    select
        compared.*,
        compared.gap - coalesce(compared.gap_change, 0) as usual_gap,
        (
            select count(*) from related
            where related.source_id = compared.other_source_id and related.indicator_id = compared.indicator_id
        ) as n_related,
        compared.gap_change / nullif(limits.spike_source, 0) as strength,
        compared.gap_change / nullif(limits.series_end_source, 0) as end_strength,
        limits.witness_equal as equal_weight,
        abs(compared.gap) <= limits.veto_equal as is_equal,
        -- two that move alike keep their distance
        compared.spike * compared.other_spike > 0
        and abs(compared.other_spike) >= limits.veto_same_move * abs(compared.spike)
        and coalesce(abs(compared.gap_change) <= abs(compared.spike), true) as is_same_move,
        -- the value leaves its trend by as much as the gap between the sources changed, and the other source stays on its trend; sources
        -- that are closer than usual only have the same vintage for once
        compared.spike * compared.gap_change > 0
        and abs(compared.gap) > abs(usual_gap)
        and abs(usual_gap) < limits.revision_max
        and abs(compared.spike) >= limits.spike_own_share * abs(compared.gap_change)
        and abs(compared.other_spike) < limits.spike_other_share * abs(compared.gap_change) as is_own_spike,
        compared.is_end
        and abs(compared.gap) > abs(usual_gap)
        and coalesce(compared.step_before, compared.step_after) * compared.gap_change > 0
        and abs(coalesce(compared.step_before, compared.step_after))
        >= limits.spike_own_share * abs(compared.gap_change)
        and abs(case when compared.step_before is null then compared.other_step_after else compared.other_step_before end)
        < limits.spike_other_share * abs(compared.gap_change) as is_own_end,
        -- the other source is on its own trend and the value is not at the usual distance of the two, or where no two vintages of one
        -- quantity could stand
        coalesce(
            abs(compared.other_log_value - compared.other_expected_log)
            < limits.spike_other_share * greatest(abs(compared.gap), abs(compared.gap_change)),
            true
        )
        and (
            (abs(compared.gap_change) >= limits.spike_source and abs(compared.gap) > abs(usual_gap))
            or abs(compared.gap) >= limits.revision_max
        ) as is_apart,
        case
            when is_equal or is_same_move then 'confirms'
            when is_apart then 'denies'
        end as statement
    from {{ ref('int_values_compared') }} as compared
    inner join {{ ref('int_indicator_limits') }} as limits on compared.indicator_id = limits.indicator_id
    -- an edition may repeat an error of the one before: it contradicts, but confirms nothing
    where compared.relation = 'independent'
),

-- a family speaks once: of related sources that say the same about a value the one with the fewest relations counts, so that a source put
-- together from two others silences itself and not them
weighed as (
    select
        *,
        case
            when statement is null then 0
            when exists (
                select 1
                from checked as earlier
                inner join related
                    on earlier.other_source_id = related.other_source_id and earlier.indicator_id = related.indicator_id
                where
                    {{ same_keys('earlier', 'checked', ['observation_id', 'statement']) }}
                    and related.source_id = checked.other_source_id
                    and (earlier.n_related, earlier.other_source_id) < (checked.n_related, checked.other_source_id)
            ) then 0
            when statement = 'denies' then -1
            when is_equal then equal_weight
            else 1
        end as weight
    from checked
)

select
    observation_id,
    max(abs(strength)) filter (where is_own_spike and n_nearby >= 2) as spike_strength,
    max(abs(end_strength)) filter (where is_own_end and n_nearby >= 2) as end_strength,
    -- the source that is usually nearest
    arg_min(other_source_id, (abs(usual_gap), other_source_id)) as witness_source_id,
    arg_min(other_log_value, (abs(usual_gap), other_source_id)) as witness_log_value,
    arg_min(other_log_value + usual_gap, (abs(usual_gap), other_source_id)) as proposed_log,
    -- no source clears a value against more that deny it
    coalesce(sum(weight) filter (where is_equal or statement = 'denies') > 0, false) as is_confirmed,
    sum(weight) > 0 as is_vouched
from weighed
group by observation_id
