-- grain: one row is an ordered pair of values of one place, year and indicator that are one figure
-- key: observation_id, copy_id
with observations as (
    select
        observations.observation_id,
        observations.place_level,
        observations.indicator_id,
        observations.city_id,
        observations."year",
        observations."value",
        coalesce(series.source_id, observations.source_id) as source_id,
        coalesce(limits.same_as, observations.indicator_id) as quantity_id,
        limits.copies_share,
        limits.lineage_equal * case when limits.rule_kind = 'rate' then 100 else abs(observations."value") end as equal_within
    from {{ ref('int_observations_corrected') }} as observations
    inner join {{ ref('int_indicator_limits') }} as limits on observations.indicator_id = limits.indicator_id
    left join {{ ref('int_values_series') }} as series on observations.observation_id = series.observation_id
),

pairs as (
    select
        own.observation_id,
        copies.observation_id as copy_id,
        abs(own."value" - copies."value") <= greatest(own.equal_within, copies.equal_within) as is_same,
        own.source_id = copies.source_id
        or related.relation = 'declared'
        or count_if(is_same) over same_table >= own.copies_share * count(*) over same_table as is_copy
    from observations as own
    inner join observations as copies
        on
            {{ same_keys('own', 'copies', ['place_level', 'indicator_id', 'city_id', '"year"']) }}
            and own.observation_id <> copies.observation_id
    left join {{ ref('int_sources_related') }} as related
        on
            copies.source_id = related.source_id
            and own.source_id = related.other_source_id
            and own.quantity_id = related.indicator_id
    -- what is said of the first holds for its copy, so the word of its source must count against that of the copy
    where own.source_id = copies.source_id or (related.relation <> 'independent' and related.is_heard)
    window same_table as (partition by own.source_id, copies.source_id, own.indicator_id, own."year", own.place_level)
)

select
    observation_id,
    copy_id
from pairs
where is_same and is_copy
