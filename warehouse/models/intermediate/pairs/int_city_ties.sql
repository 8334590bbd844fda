-- grain: one row is a city of the mart with its means of 2010-2014, before any zone, that enter ties and controls
-- key: city_id
with cities as (
    select distinct city_id from {{ ref('int_city_spine') }}
),

delivered as (
    select
        city_id,
        "year",
        indicator_id as measure,
        "value"
    from {{ ref('int_values_current') }}
    where indicator_id in (
        'gdp_nominal_cny_100m', 'population_resident_10k', 'population_registered_10k', 'area_km2', 'gdp_share_tertiary_pct'
    )
),

derived as (
    select
        city_id,
        "year",
        'ln_population' as measure,
        ln(population_10k) as "value"
    from {{ ref('int_city_population') }}
    where population_10k > 0
    union all
    select
        current_values.city_id,
        current_values."year",
        'ln_gdp_per_capita' as measure,
        ln(current_values."value" / population.population_10k * 10000) as "value"
    from {{ ref('int_values_current') }} as current_values
    inner join {{ ref('int_city_population') }} as population
        on current_values.city_id = population.city_id and current_values."year" = population."year"
    where current_values.indicator_id = 'gdp_nominal_cny_100m' and current_values."value" > 0 and population.population_10k > 0
    union all
    select
        city_id,
        "year",
        concept as measure,
        concept_value as "value"
    from {{ ref('int_city_concept_measures') }}
    where concept = 'financial_development' and choice = 1
),

measures as (
    select * from delivered
    union all
    select * from derived
),

year_lists as (
    select
        city_id,
        measure,
        {{ ordered_list('"value"', '"year"') }} as year_values
    from measures
    where "year" between {{ tie_first_year() }} and {{ tie_last_year() }}
    group by city_id, measure
),

-- with a mean of one or two years a single unusual year would decide which pairs are close
means as (
    select
        city_id,
        measure,
        {{ list_total('year_values') }} / len(year_values) as mean_value
    from year_lists
    where len(year_values) >= {{ tie_minimum_years() }}
),

wide as (
    select
        cities.city_id,
        max(case when means.measure = 'gdp_nominal_cny_100m' then means.mean_value end) as gdp_nominal_cny_100m,
        max(case when means.measure = 'population_resident_10k' then means.mean_value end) as population_resident_10k,
        max(case when means.measure = 'population_registered_10k' then means.mean_value end) as population_registered_10k,
        max(case when means.measure = 'area_km2' then means.mean_value end) as area_km2,
        max(case when means.measure = 'ln_gdp_per_capita' then means.mean_value end) as ln_gdp_per_capita,
        max(case when means.measure = 'ln_population' then means.mean_value end) as ln_population,
        max(case when means.measure = 'financial_development' then means.mean_value end) as financial_development,
        max(case when means.measure = 'gdp_share_tertiary_pct' then means.mean_value end) as tertiary_share
    from cities
    left join means on cities.city_id = means.city_id
    group by cities.city_id
)

select
    city_id,
    gdp_nominal_cny_100m,
    coalesce(population_resident_10k, population_registered_10k) as population_10k,
    case
        when population_resident_10k is not null then 'resident'
        when population_registered_10k is not null then 'registered'
    end as population_basis,
    area_km2,
    ln_gdp_per_capita,
    ln_population,
    financial_development,
    tertiary_share
from wide
