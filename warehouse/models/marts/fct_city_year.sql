-- grain: one row is a city with any current value in a year of the landing's span
-- key: city_id, year
{%- set plain_indicators = [
    'gdp_nominal_cny_100m', 'gdp_per_capita_cny', 'gdp_share_tertiary_pct', 'value_added_primary_cny_100m',
    'value_added_secondary_cny_100m', 'value_added_tertiary_cny_100m', 'area_km2', 'loans_cny_100m', 'deposits_cny_100m',
    'employed_10k', 'wage_avg_cny', 'fdi_usd_1m', 'fixed_investment_cny_100m', 'patents_granted', 'students_college_10k',
    'telecom_revenue_cny_100m', 'night_lights_nw_cm2_sr'
] %}
with consumer_prices as (
    select
        city_id as province_id,
        "year",
        "value" as cpi_prev_year_100
    from {{ ref('int_values_current') }}
    where indicator_id = 'cpi_prev_year_100'
),

indicators as (
    select
        city_id,
        "year",
        -- market entities hold the self-employed too: they replace firms, under a basis of their own, where none were delivered
        max(case when indicator_id = 'firms_new' then "value" end) as firms_new,
        max(case when indicator_id = 'entities_new' then "value" end) as entities_new,
    {% for indicator_id in plain_indicators %}
        max(case when indicator_id = '{{ indicator_id }}' then "value" end) as {{ indicator_id }}{{ ',' if not loop.last }}
    {% endfor %}
    from {{ ref('int_values_current') }}
    where place_level = 'city'
    group by city_id, "year"
),

wide_concepts as (
    select
        city_id,
        "year",
        max(case when concept = 'financial_development' then concept_value end) as financial_development_ratio,
        max(case when concept = 'financial_development' then basis end) as financial_development_basis,
        max(case when concept = 'human_capital' then concept_value end) as human_capital_index,
        max(case when concept = 'human_capital' then basis end) as human_capital_basis,
        max(case when concept = 'infrastructure' then concept_value end) as infrastructure_index,
        max(case when concept = 'infrastructure' then basis end) as infrastructure_basis
    from {{ ref('int_city_concept_measures') }}
    where choice = 1
    group by city_id, "year"
)

select
    spine.city_id,
    spine."year",
    indicators.gdp_nominal_cny_100m,
    levels.gdp_real_cny_100m,
    levels.gdp_real_base_year,
    levels.gdp_real_basis,
    growth.growth_official_pct,
    growth.growth_official_basis,
    growth.growth_official_basis_before,
    growth.growth_official_evidence,
    growth.growth_official_source_id,
    growth.growth_official_edition_year,
    growth.is_growth_official_jump,
    growth.growth_index_pct,
    growth.growth_deflated_pct,
    growth.growth_deflated_source_id,
    growth.is_growth_deflated_jump,
    growth.growth_implicit_deflated_pct,
    growth.growth_deflated_one_vintage_pct,
    growth.growth_deflated_one_vintage_source_id,
    level_growth.growth_employed_pct,
    level_growth.growth_wage_pct,
    level_growth.growth_night_lights_pct,
    cycles.cycle_hp_pct,
    cycles.cycle_hp_100_pct,
    cycles.cycle_hamilton_pct,
    cycles.cycle_christiano_fitzgerald_pct,
    population.population_10k,
    population.population_basis,
    wide_concepts.financial_development_ratio,
    wide_concepts.financial_development_basis as financial_development_ratio_basis,
    wide_concepts.human_capital_index,
    wide_concepts.human_capital_basis as human_capital_index_basis,
    wide_concepts.infrastructure_index,
    wide_concepts.infrastructure_basis as infrastructure_index_basis,
    development.development_index,
    consumer_prices.cpi_prev_year_100,
    coalesce(indicators.firms_new, indicators.entities_new) as firms_new,
    case
        when indicators.firms_new is not null then 'primary'
        when indicators.entities_new is not null then 'proxy:entities_new'
    end as firms_new_basis,
{% for indicator_id in plain_indicators[1:] %}
    indicators.{{ indicator_id }}{{ ',' if not loop.last }}
{% endfor %}
from {{ ref('int_city_spine') }} as spine
left join indicators on spine.city_id = indicators.city_id and spine."year" = indicators."year"
left join {{ ref('int_city_growth') }} as growth on spine.city_id = growth.city_id and spine."year" = growth."year"
left join {{ ref('int_city_levels') }} as levels on spine.city_id = levels.city_id and spine."year" = levels."year"
left join {{ ref('int_city_level_growth') }} as level_growth
    on spine.city_id = level_growth.city_id and spine."year" = level_growth."year"
left join consumer_prices
    on spine.city_id // 10000 * 10000 = consumer_prices.province_id and spine."year" = consumer_prices."year"
left join {{ ref('int_city_cycles') }} as cycles on spine.city_id = cycles.city_id and spine."year" = cycles."year"
left join {{ ref('int_city_population') }} as population on spine.city_id = population.city_id and spine."year" = population."year"
left join wide_concepts on spine.city_id = wide_concepts.city_id and spine."year" = wide_concepts."year"
left join {{ ref('int_city_development') }} as development on spine.city_id = development.city_id and spine."year" = development."year"
