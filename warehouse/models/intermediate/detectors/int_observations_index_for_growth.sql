-- grain: one row is one cell that holds an index (previous year = 100) where a growth rate in per cent belongs
-- key: observation_id
with observations as (
    select * from {{ ref('int_observations_corrected') }}
),

catalog as (
    select * from {{ ref('indicator_catalog') }}
),

final as (
    select
        observations.observation_id,
        'index_for_growth' as rule,
        'blocked' as grade,
        'expected a growth rate in per cent, found ' || observations."value"
        || ', which reads as an index with the previous year = 100' as detail,
        observations."value" - 100 as proposed_value
    from observations
    inner join catalog on observations.indicator_id = catalog.indicator_id
    where
        catalog.kind = 'rate'
        and catalog.canonical_unit = 'pct'
        and catalog.max_value < 75
        and observations."value" between 75 and 145
)

select * from final
