-- grain: one row is a city and year with its official growth of five years, centred and scaled to length one
-- key: city_id, year
with growth as (
    select
        city_id,
        "year",
        growth_official_pct
    from {{ ref('int_city_growth') }}
    where growth_official_pct is not null
),

-- the five years t-4..t may reach back before the study window
five_years as (
    select
        target.city_id,
        target."year",
        {{ ordered_list('source.growth_official_pct', 'source."year"') }} as growth_values
    from growth as target
    inner join growth as source
        on target.city_id = source.city_id and source."year" between target."year" - 4 and target."year"
    group by target.city_id, target."year"
    having count(*) = 5
),

centred as (
    select
        *,
        {{ list_total('growth_values') }} / 5 as mean_growth
    from five_years
),

lengths as (
    select
        *,
        {{ nonzero_length(list_squared_deviation('growth_values', 'mean_growth')) }} as length_growth
    from centred
)

-- the inner product of two such vectors is Pearson's r; it does not exist where growth did not move
select
    city_id,
    "year",
    (growth_values[1] - mean_growth) / length_growth as u_1,
    (growth_values[2] - mean_growth) / length_growth as u_2,
    (growth_values[3] - mean_growth) / length_growth as u_3,
    (growth_values[4] - mean_growth) / length_growth as u_4,
    (growth_values[5] - mean_growth) / length_growth as u_5
from lengths
where length_growth is not null
