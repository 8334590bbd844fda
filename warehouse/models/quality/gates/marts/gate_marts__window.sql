-- grain: one row in all, with shares and counts over the study window
-- key: none; the table has one row
with years as (
    select count(distinct {{ quoted('year') }}) as n_years
    from {{ ref('fct_pair_synchronization') }}
    where cm_growth_official is not null
),

-- whole billionths are added, so that the mean does not depend on the order of the rows
measured as (
    select
        min(cm_growth_official) as lowest,
        sum(cast(round(cm_growth_official * 1e9) as bigint)) / count(cm_growth_official) / 1e9 as mean_cm_growth_official
    from {{ ref('fct_pair_synchronization') }}
),

cities as (
    select count(distinct city_id) as n_cities from {{ ref('fct_city_year') }}
),

measured_cities as (
    select city_i_id as city_id
    from {{ ref('fct_pair_synchronization') }}
    where cm_growth_official is not null
    union
    select city_j_id as city_id
    from {{ ref('fct_pair_synchronization') }}
    where cm_growth_official is not null
),

complete as (
    select count(*) as n_complete from measured_cities
),

pilot_cities as (
    select city_i_id as city_id
    from {{ ref('panel_pair_year') }}
    where is_study_window and city_i_cohort_year is not null
    union
    select city_j_id as city_id
    from {{ ref('panel_pair_year') }}
    where is_study_window and city_j_cohort_year is not null
),

pilots as (
    select count(*) as n_pilots_in_sample from pilot_cities
)

select
    measured.lowest - ({{ cm_lowest('years.n_years') }}) + 1e-9 as cm_minimum_above_bound,
    measured.mean_cm_growth_official,
    complete.n_complete / greatest(cities.n_cities, 1) as share_complete_growth_official,
    pilots.n_pilots_in_sample
from measured
cross join years
cross join cities
cross join complete
cross join pilots
