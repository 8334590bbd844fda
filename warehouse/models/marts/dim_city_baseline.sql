-- grain: one row is a city of the mart with its characteristics of 2010-2014, before any zone
-- key: city_id
with cities as (
    select distinct city_id from {{ ref('int_city_spine') }}
),

measures as (
    select
        city_id,
        "year",
        concept as measure,
        basis,
        concept_rank as basis_rank,
        concept_value as "value"
    from {{ ref('int_city_concept_measures') }}
    union all
    select
        city_id,
        "year",
        'population' as measure,
        population_basis as basis,
        1 as basis_rank,
        population_10k as "value"
    from {{ ref('int_city_population') }}
    union all
    select
        current_values.city_id,
        current_values."year",
        'gdp_per_head' as measure,
        'primary' as basis,
        1 as basis_rank,
        current_values."value" / population.population_10k * 10000 as "value"
    from {{ ref('int_values_current') }} as current_values
    inner join {{ ref('int_city_population') }} as population
        on current_values.city_id = population.city_id and current_values."year" = population."year"
    where current_values.indicator_id = 'gdp_nominal_cny_100m' and population.population_10k > 0
    union all
    select
        city_id,
        "year",
        'trade' as measure,
        'proxy:fdi_usd_1m' as basis,
        1 as basis_rank,
        "value"
    from {{ ref('int_values_current') }}
    where indicator_id = 'fdi_usd_1m'
),

city_years as (
    select
        measures.city_id,
        measures.measure,
        case when measures.measure = 'population' then 'any' else measures.basis end as basis,
        min(measures.basis_rank) as basis_rank,
        {{ ordered_list('measures."value"', 'measures."year"') }} as year_values
    from measures
    inner join cities on measures.city_id = cities.city_id
    where measures."year" between {{ tie_first_year() }} and {{ tie_last_year() }}
    group by all
),

-- with a mean of one or two years a single unusual year would decide where a city stands
means as (
    select
        city_id,
        measure,
        basis,
        basis_rank,
        {{ list_total('year_values') }} / len(year_values) as mean_value
    from city_years
    where len(year_values) >= {{ tie_minimum_years() }}
),

counts as (
    select
        measure,
        basis,
        min(basis_rank) as basis_rank,
        count(*) as n_cities
    from means
    group by measure, basis
),

fullest as (
    select
        measure,
        max(n_cities) as n_cities
    from counts
    group by measure
),

-- students per capita and teachers per capita cannot be split at one median: all cities are compared on one basis, the best ranked of
-- those that hold nearly as many cities as the fullest
bases as (
    select
        counts.measure,
        counts.basis
    from counts
    inner join fullest on counts.measure = fullest.measure
    qualify row_number() over (
        partition by counts.measure
        order by counts.n_cities < 0.95 * fullest.n_cities asc, counts.basis_rank asc, counts.n_cities desc, counts.basis asc
    ) = 1
),

chosen as (
    select means.*
    from means
    inner join bases on means.measure = bases.measure and means.basis = bases.basis
),

wide as (
    select
        city_id,
        max(case when measure = 'human_capital' then mean_value end) as human_capital,
        max(case when measure = 'human_capital' then basis end) as human_capital_basis,
        max(case when measure = 'financial_development' then mean_value end) as financial_development,
        max(case when measure = 'financial_development' then basis end) as financial_development_basis,
        max(case when measure = 'infrastructure' then mean_value end) as infrastructure,
        max(case when measure = 'infrastructure' then basis end) as infrastructure_basis,
        max(case when measure = 'trade' then mean_value end) as trade,
        max(case when measure = 'trade' then basis end) as trade_basis,
        max(case when measure = 'gdp_per_head' then mean_value end) as gdp_per_head_cny,
        max(case when measure = 'population' then mean_value end) as population_10k
    from chosen
    group by city_id
)

select
    cities.city_id,
    wide.human_capital,
    wide.human_capital_basis,
    wide.financial_development,
    wide.financial_development_basis,
    wide.infrastructure,
    wide.infrastructure_basis,
    wide.trade,
    wide.trade_basis,
    wide.gdp_per_head_cny,
    wide.population_10k,
    dim_city.is_coastal
from cities
inner join {{ ref('dim_city') }} as dim_city on cities.city_id = dim_city.city_id
left join wide on cities.city_id = wide.city_id
