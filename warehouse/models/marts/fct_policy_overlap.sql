-- grain: one row is a batch of pilot cities, or the cities never admitted (batch 0), and another pilot programme
-- key: batch, policy
with cities as (
    select
        city_id,
        treated_year,
        coalesce(batch, 0) as batch
    from {{ ref('dim_city') }}
    where valid_to_year is null
),

policies as (
    select distinct policy from {{ ref('dim_other_policy') }}
),

covered as (
    select
        policy,
        city_id,
        min(treated_year) as policy_year,
        bool_or(is_verified) as is_verified
    from {{ ref('dim_other_policy') }}
    where covers_city
    group by policy, city_id
)

select
    cast(cities.batch as integer) as batch,
    policies.policy,
    cast(count(*) as integer) as n_cities,
    cast(count(covered.city_id) as integer) as n_covered,
    cast(count(*) filter (where covered.policy_year < cities.treated_year) as integer) as n_covered_before,
    cast(count(*) filter (where covered.policy_year = cities.treated_year) as integer) as n_covered_same_year,
    cast(count(*) filter (where covered.policy_year > cities.treated_year) as integer) as n_covered_after,
    cast(count(*) filter (where covered.is_verified) as integer) as n_covered_verified
from cities
cross join policies
left join covered on cities.city_id = covered.city_id and policies.policy = covered.policy
group by cities.batch, policies.policy
