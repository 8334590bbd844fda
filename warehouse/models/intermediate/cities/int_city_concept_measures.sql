-- grain: one row is a city, year, concept (financial development, human capital, infrastructure) and basis on which it can be measured,
-- with its place among these: 1 is taken
-- key: city_id, year, concept, basis
with finance as (
    select
        city_id,
        "year",
        max(case when indicator_id = 'loans_cny_100m' then "value" end) as loans_cny_100m,
        max(case when indicator_id = 'deposits_cny_100m' then "value" end) as deposits_cny_100m,
        max(case when indicator_id = 'gdp_nominal_cny_100m' then "value" end) as gdp_nominal_cny_100m
    from {{ ref('int_values_current') }}
    where indicator_id in ('loans_cny_100m', 'deposits_cny_100m', 'gdp_nominal_cny_100m')
    group by city_id, "year"
),

-- the ratio computed from its parts is the primary measure; the ranks in the catalog order the fallbacks
financial_development as (
    select
        city_id,
        "year",
        'financial_development' as concept,
        (loans_cny_100m + deposits_cny_100m) / gdp_nominal_cny_100m as concept_value,
        'primary' as basis,
        1 as concept_rank
    from finance
    where loans_cny_100m is not null and deposits_cny_100m is not null and gdp_nominal_cny_100m > 0
),

catalogued as (
    select
        current_values.city_id,
        current_values."year",
        catalog.concept,
        case
            when catalog.canonical_unit = '10k' then current_values."value" / population.population_10k
            else current_values."value"
        end as concept_value,
        case when catalog.concept_rank = 1 then 'primary' else 'proxy:' || catalog.indicator_id end as basis,
        catalog.concept_rank
    from {{ ref('int_values_current') }} as current_values
    inner join {{ ref('indicator_catalog') }} as catalog on current_values.indicator_id = catalog.indicator_id
    left join {{ ref('int_city_population') }} as population
        on current_values.city_id = population.city_id and current_values."year" = population."year"
    where catalog.concept is not null and current_values."value" > 0
),

candidates as (
    select * from financial_development
    union all
    select * from catalogued
)

select
    city_id,
    "year",
    concept,
    concept_value,
    basis,
    cast(concept_rank as integer) as concept_rank,
    cast(row_number() over (partition by city_id, "year", concept order by concept_rank, basis) as integer) as choice
from candidates
where concept_value is not null
