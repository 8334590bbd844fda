-- grain: one row is one cell that holds an index (previous year = 100) where a growth rate in per cent belongs
-- key: observation_id
with observations as (
    select * from {{ ref('int_observations_corrected') }}
),

final as (
    select
        observation_id,
        'index_for_growth' as rule,
        'blocked' as grade,
        'expected a growth rate in per cent, found ' || "value" || ', which reads as an index with the previous year = 100' as detail,
        "value" - 100 as proposed_value
    from observations
    where indicator_id = 'gdp_growth_official_pct' and "value" between 75 and 145
)

select * from final
