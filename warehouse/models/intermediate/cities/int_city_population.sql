-- grain: one row is a city and year with its population and which count it is
-- key: city_id, year
with resident as (
    select
        city_id,
        "year",
        "value"
    from {{ ref('int_values_current') }}
    where indicator_id = 'population_resident_10k'
),

registered as (
    select
        city_id,
        "year",
        "value"
    from {{ ref('int_values_current') }}
    where indicator_id = 'population_registered_10k'
)

select
    coalesce(resident.city_id, registered.city_id) as city_id,
    coalesce(resident."year", registered."year") as "year",
    coalesce(resident."value", registered."value") as population_10k,
    case when resident.city_id is not null then 'resident' else 'registered' end as population_basis
from resident
full outer join registered on resident.city_id = registered.city_id and resident."year" = registered."year"
