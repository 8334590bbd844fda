-- grain: one row is a city, year and indicator with what is delivered for its districts alone, and by another definition of the quantity
-- key: city_id, year, indicator_id
-- a city that is nothing but districts has one figure for both
with undivided as (
    select
        part.city_id,
        part."year"
    from {{ ref('int_observations_graded') }} as part
    inner join {{ ref('int_observations_graded') }} as whole
        on
            {{ same_keys('part', 'whole', ['city_id', '"year"', 'source_id']) }}
            and part.indicator_id = 'population_registered_districts_10k'
            and whole.indicator_id = 'population_registered_10k'
            and abs(part."value" - whole."value") <= 0.02 * whole."value"
    where part.place_level = 'city' and whole.place_level = 'city'
),

figures as (
    select
        city_id,
        "year",
        indicator_id like '%\_districts\_%' escape '\' as is_of_districts,
        case
            when is_of_districts then replace(indicator_id, '_districts', '')
            when indicator_id = 'population_registered_10k' then 'population_resident_10k'
            when indicator_id = 'population_resident_10k' then 'population_registered_10k'
            when indicator_id = 'gdp_real_cny_100m' then 'gdp_nominal_cny_100m'
        end as quantity_id,
        "value"
    from {{ ref('int_observations_graded') }}
    where
        place_level = 'city'
        and quantity_id is not null
        and not (is_of_districts and (city_id, "year") in (select (undivided.city_id, undivided."year") from undivided))
)

select
    city_id,
    "year",
    quantity_id as indicator_id,
    list(distinct "value") filter (where is_of_districts) as district_values,
    list(distinct "value") filter (where not is_of_districts) as definition_values
from figures
group by city_id, "year", quantity_id
