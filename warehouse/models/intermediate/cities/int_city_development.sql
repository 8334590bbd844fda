-- grain: one row is a city and year with its entropy-weighted development index
-- key: city_id, year
with components as (
    select
        current_values.city_id,
        current_values."year",
        current_values.indicator_id,
        current_values."value"
    from {{ ref('int_values_current') }} as current_values
    inner join {{ ref('indicator_catalog') }} as catalog on current_values.indicator_id = catalog.indicator_id
    where catalog.is_development_component and current_values.place_level = 'city'
),

delivered as (
    select count(distinct indicator_id) as n_components from components
),

complete_city_years as (
    select
        components.city_id,
        components."year"
    from components
    cross join delivered
    group by components.city_id, components."year", delivered.n_components
    having count(*) = delivered.n_components
),

pooled as (
    select components.*
    from components
    inner join complete_city_years
        on components.city_id = complete_city_years.city_id and components."year" = complete_city_years."year"
),

ranges as (
    select
        indicator_id,
        min("value") as lowest,
        max("value") as highest
    from pooled
    group by indicator_id
),

-- min-max scaling over the pooled city-years; the shift keeps the logarithm of a zero share finite
scaled as (
    select
        pooled.city_id,
        pooled."year",
        pooled.indicator_id,
        (pooled."value" - ranges.lowest) / (ranges.highest - ranges.lowest) + 1e-4 as scaled_value
    from pooled
    inner join ranges on pooled.indicator_id = ranges.indicator_id
    where ranges.highest > ranges.lowest
),

scaled_lists as (
    select
        indicator_id,
        {{ ordered_list('scaled_value', '(city_id, "year")') }} as scaled_values
    from scaled
    group by indicator_id
),

totals as (
    select
        indicator_id,
        scaled_values,
        {{ list_total('scaled_values') }} as total,
        len(scaled_values) as n_city_years
    from scaled_lists
),

entropies as (
    select
        indicator_id,
        1 + list_sum(list_transform(scaled_values, lambda x: x / total * ln(x / total))) / ln(n_city_years) as divergence
    from totals
    where n_city_years > 1
),

all_divergences as (
    select {{ list_total(ordered_list('divergence', 'indicator_id')) }} as total_divergence from entropies
),

weights as (
    select
        entropies.indicator_id,
        entropies.divergence / all_divergences.total_divergence as weight
    from entropies
    cross join all_divergences
    where all_divergences.total_divergence > 0
),

weighted as (
    select
        scaled.city_id,
        scaled."year",
        scaled.indicator_id,
        weights.weight * scaled.scaled_value as weighted_value
    from scaled
    inner join weights on scaled.indicator_id = weights.indicator_id
)

select
    city_id,
    "year",
    {{ list_total(ordered_list('weighted_value', 'indicator_id')) }} as development_index
from weighted
group by city_id, "year"
