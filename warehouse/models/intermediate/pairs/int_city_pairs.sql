-- grain: one row is an unordered pair of the mart's cities with distance, ties and exposure under both rules
-- key: city_i_id, city_j_id
{{ config(tags=['pair_grain']) }}
-- the balanced sample of the baseline regression: cities with complete official growth in the window
with balanced as (
    select distinct city_id
    from {{ ref('int_city_scores') }}
    where time_window = 'study' and component = 'growth_official' and z is not null
),

filtered as (
    select
        *,
        min({{ quoted('year') }}) over () as first_year
    from {{ ref('int_city_scores') }}
    where time_window = 'study' and component = 'hp'
),

-- the signs of a filtered component over the window as bits, zero counting as positive
signs as (
    select
        city_id,
        cast(sum(case when d >= 0 then 1 else 0 end * cast(pow(2, {{ quoted('year') }} - first_year) as bigint)) as bigint) as sign_bits,
        max(n_years) as n_years
    from filtered
    group by city_id
),

cities as (
    select
        ties.*,
        city_roster.lon_deg,
        city_roster.lat_deg,
        city_roster.admin_rank,
        city_roster.province_id,
        city_roster.region,
        {{ window_cohort('treatment.treated_year', 'study_window.window_last_year') }} as cohort_year,
        {{ window_cohort('treatment.treated_year_calendar_year', 'study_window.window_last_year') }} as cohort_year_calendar_year,
        balanced.city_id is not null as is_balanced,
        signs.sign_bits,
        signs.n_years as n_sign_years
    from {{ ref('int_city_ties') }} as ties
    inner join {{ ref('city_roster') }} as city_roster on ties.city_id = city_roster.city_id
    inner join {{ ref('int_city_treatment') }} as treatment on ties.city_id = treatment.city_id
    cross join {{ ref('int_study_window') }} as study_window
    left join balanced on ties.city_id = balanced.city_id
    left join signs on ties.city_id = signs.city_id
),

pairs as (
    select
        city_i.city_id as city_i_id,
        city_j.city_id as city_j_id,
        {{ haversine_km('city_i.lon_deg', 'city_i.lat_deg', 'city_j.lon_deg', 'city_j.lat_deg') }} as distance_km,
        city_i.population_10k as p_i,
        city_j.population_10k as p_j,
        city_i.gdp_nominal_cny_100m as g_i,
        city_j.gdp_nominal_cny_100m as g_j,
        city_i.area_km2 as s_i,
        city_j.area_km2 as s_j,
        city_i.admin_rank as a_i,
        city_j.admin_rank as a_j,
        coalesce(city_i.population_basis = 'registered', false)
        or coalesce(city_j.population_basis = 'registered', false) as has_registered_population,
        city_i.is_balanced and city_j.is_balanced as is_balanced,
        {{ pair_exposure('city_i.cohort_year', 'city_j.cohort_year') }} as exposure,
        {{ pair_cohort_year('city_i.cohort_year', 'city_j.cohort_year') }} as cohort_year,
        {{ pair_exposure('city_i.cohort_year_calendar_year', 'city_j.cohort_year_calendar_year') }} as exposure_calendar_year,
        {{ pair_cohort_year('city_i.cohort_year_calendar_year', 'city_j.cohort_year_calendar_year') }} as cohort_year_calendar_year,
        city_i.province_id as province_i_id,
        city_j.province_id as province_j_id,
        {{ ordered_pair('city_i.region', 'city_j.region') }} as region_pair,
        1 - {{ differing_bits('city_i.sign_bits', 'city_j.sign_bits') }} / city_i.n_sign_years as concordance_hp
    from cities as city_i
    inner join cities as city_j on city_i.city_id < city_j.city_id
)

select
    city_i_id,
    city_j_id,
    distance_km,
    has_registered_population,
    is_balanced,
    exposure,
    cohort_year,
    exposure_calendar_year,
    cohort_year_calendar_year,
    province_i_id,
    province_j_id,
    region_pair,
    concordance_hp,
    {{ tie_strength('p_i', 'g_i', 'p_j', 'g_j', 'distance_km') }} as tie_strength,
    {{ tie_four_factor('p_i', 'g_i', 's_i', 'a_i', 'p_j', 'g_j', 's_j', 'a_j', 'distance_km') }} as tie_four_factor
from pairs
