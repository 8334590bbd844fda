-- grain: one row is one published growth rate or index beyond 40 per cent up or down
-- key: observation_id
with observations as (
    select * from {{ ref('int_observations_corrected') }}
),

index_for_growth as (
    select * from {{ ref('int_observations_index_for_growth') }}
),

growth_rates as (
    select
        observation_id,
        "year",
        "value",
        case indicator_id
            when 'gdp_growth_official_pct' then "value"
            when 'gdp_index_prev_year_100' then "value" - 100
        end as growth_pct
    from observations
    where indicator_id in ('gdp_growth_official_pct', 'gdp_index_prev_year_100')
),

-- before 2000 small cities grew and shrank by more than ever since, so such a rate may be true where nothing better exists;
-- but no output doubles or vanishes within a year
final as (
    select
        observation_id,
        'growth_range' as rule,
        case when "year" < 2000 and growth_pct between -100 and 100 then 'quarantined' else 'blocked' end as grade,
        'expected growth from -40 to 40 per cent, found ' || "value" as detail,
        cast(null as double) as proposed_value
    from growth_rates
    where
        growth_pct not between -40 and 40
        and observation_id not in (select observation_id from index_for_growth)
)

select * from final
