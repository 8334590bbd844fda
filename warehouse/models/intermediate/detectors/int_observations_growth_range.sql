-- grain: one row is one rate of change, or index of it, outside the range that the catalog holds possible
-- key: observation_id
with observations as (
    select * from {{ ref('int_observations_corrected') }}
),

catalog as (
    select * from {{ ref('indicator_catalog') }}
),

index_for_growth as (
    select * from {{ ref('int_observations_index_for_growth') }}
),

rates as (
    select
        observations.observation_id,
        observations."year",
        observations."value",
        catalog.min_value,
        catalog.max_value,
        case
            when catalog.kind = 'rate' and catalog.canonical_unit = 'pct' then observations."value"
            when catalog.canonical_unit = 'index_100' then observations."value" - 100
        end as growth_pct
    from observations
    inner join catalog on observations.indicator_id = catalog.indicator_id
    where catalog.kind in ('rate', 'index')
),

-- before 2000 small cities grew and shrank by more than ever since, so such a rate may be true where nothing better exists;
-- but no output doubles or vanishes within a year
final as (
    select
        observation_id,
        'growth_range' as rule,
        case when "year" < 2000 and growth_pct between -100 and 100 then 'quarantined' else 'blocked' end as grade,
        'expected ' || {{ short_number('min_value') }} || ' to ' || {{ short_number('max_value') }} || ', found ' || "value" as detail,
        cast(null as double) as proposed_value
    from rates
    where
        "value" not between min_value and max_value
        and observation_id not in (select observation_id from index_for_growth)
)

select * from final
