-- grain: one row is one value of a series that belongs to another place
-- key: observation_id
with populations as (
    select
        city_id,
        "year",
        {{ exact_median('log_value') }} as log_population
    from {{ ref('int_trends_delivered') }}
    where indicator_id in ('population_registered_10k', 'population_resident_10k')
    group by city_id, "year"
),

per_head as (
    select
        trends.source_id,
        trends.city_id,
        trends.log_value - populations.log_population as log_per_head,
        abs(log_per_head - median(log_per_head) over (partition by trends."year")) as distance
    from {{ ref('int_trends_delivered') }} as trends
    inner join populations on trends.city_id = populations.city_id and trends."year" = populations."year"
    where trends.indicator_id = 'gdp_nominal_cny_100m'
),

distances as (
    select
        source_id,
        city_id,
        {{ exact_median('distance') }} as distance
    from per_head
    group by source_id, city_id
),

-- far from another source in all years, and further than that one from what cities usually have per head
wrong as (
    select
        compared.source_id,
        compared.city_id,
        compared.other_source_id,
        own.distance
    from {{ ref('int_values_compared') }} as compared
    inner join {{ ref('int_indicator_limits') }} as limits on compared.indicator_id = limits.indicator_id
    inner join distances as own on compared.source_id = own.source_id and compared.city_id = own.city_id
    inner join distances as other on compared.other_source_id = other.source_id and compared.city_id = other.city_id
    where
        compared.indicator_id = 'gdp_nominal_cny_100m'
        and own.distance > greatest(limits.wrong_entity_per_head, other.distance)
    group by compared.source_id, compared.city_id, compared.other_source_id, own.distance
    having
        count(*) >= any_value(limits.wrong_entity_min_years)
        and min(abs(compared.gap)) > any_value(limits.wrong_entity_gap)
    qualify row_number() over (partition by compared.source_id, compared.city_id order by compared.other_source_id) = 1
),

-- a city's government does not raise half of what the city produces, year after year
revenues as (
    select
        revenue.series_no,
        revenue.city_id,
        {{ exact_median('revenue.log_value - product.log_value') }} as share
    from {{ ref('int_trends_delivered') }} as revenue
    inner join {{ ref('int_trends_delivered') }} as product on revenue.city_id = product.city_id and revenue."year" = product."year"
    inner join {{ ref('int_indicator_limits') }} as limits on product.indicator_id = limits.indicator_id
    where revenue.indicator_id = 'fiscal_revenue_cny_100m' and product.indicator_id = 'gdp_nominal_cny_100m'
    group by revenue.series_no, revenue.city_id
    having count(distinct revenue."year") >= any_value(limits.wrong_entity_min_years) and share > ln(0.5)
)

select
    trends.observation_id,
    'wrong_entity' as rule,
    'blocked' as grade,
    'expected about the figures of ' || wrong.other_source_id || ', found ' || {{ short_number('exp(trends.log_value)') }}
    || '; through all years this series is a multiple of them, and ' || {{ short_number('exp(wrong.distance)') }}
    || ' times (or that part of) what cities usually have per head' as detail
from {{ ref('int_trends_delivered') }} as trends
inner join wrong on trends.source_id = wrong.source_id and trends.city_id = wrong.city_id
where trends.indicator_id = 'gdp_nominal_cny_100m'
union all
select
    trends.observation_id,
    'wrong_entity' as rule,
    'blocked' as grade,
    'expected a part of the product of the city, found ' || {{ short_number('exp(trends.log_value)') }} || ', through all years about '
    || {{ short_number('100 * exp(revenues.share)') }} || ' per cent of it' as detail
from {{ ref('int_trends_delivered') }} as trends
inner join revenues on trends.series_no = revenues.series_no and trends.city_id = revenues.city_id
