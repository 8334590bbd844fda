-- grain: one row is one value that is zero or negative where the catalog says it must be positive
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
        'sign' as rule,
        'blocked' as grade,
        'expected a positive value, found ' || observations."value" as detail,
        cast(null as double) as proposed_value
    from observations
    inner join catalog on observations.indicator_id = catalog.indicator_id
    where catalog.must_be_positive and observations."value" <= 0
)

select * from final
