-- grain: one row is a strong-tie pair of balanced cities, exposed to one pilot or none, in a year of the baseline sample or a later one
-- up to the newest
-- key: city_i_id, city_j_id, year
-- depends_on: {{ ref('int_city_year_scores') }} (warehouse/macros/pair_years.sql counts its pairs)
{{ config(tags=['pair_grain']) }}
{%- set controls = ['ln_gdp_per_capita', 'ln_population', 'financial_development', 'tertiary_share'] %}
with cities as (
    select
        city_means.*,
        treatment.treated_year,
        {{ window_cohort('treatment.treated_year', 'study_window.window_last_year') }} as cohort_year
    from {{ ref('int_city_ties') }} as city_means
    inner join {{ ref('int_city_treatment') }} as treatment on city_means.city_id = treatment.city_id
    cross join {{ ref('int_study_window') }} as study_window
),

sample_pairs as (
    select *
    from {{ ref('fct_city_pair') }}
    where is_balanced and is_strong_tie and exposure in ('one', 'none')
)

select
    synchronization.is_study_window,
    sample_pairs.city_i_id,
    sample_pairs.city_j_id,
    synchronization.{{ quoted('year') }},
    sample_pairs.province_i_id,
    sample_pairs.province_j_id,
    sample_pairs.exposure,
    case
        when synchronization.is_study_window then coalesce(synchronization.{{ quoted('year') }} >= sample_pairs.cohort_year, false)
    end as is_treated,
    sample_pairs.cohort_year,
    city_i.cohort_year as city_i_cohort_year,
    city_j.cohort_year as city_j_cohort_year,
    city_i.treated_year as city_i_treated_year,
    city_j.treated_year as city_j_treated_year,
    {{ all_columns_but('synchronization', ['is_study_window', 'city_i_id', 'city_j_id', quoted('year')]) }},
{% for control in controls %}
    (city_i.{{ control }} + city_j.{{ control }}) / 2 as {{ control }}_mean,
    abs(city_i.{{ control }} - city_j.{{ control }}) as {{ control }}_absdiff{{ ',' if not loop.last }}
{% endfor %}
from sample_pairs
inner join {{ ref('fct_pair_synchronization') }} as synchronization
    on sample_pairs.city_i_id = synchronization.city_i_id and sample_pairs.city_j_id = synchronization.city_j_id
inner join cities as city_i on sample_pairs.city_i_id = city_i.city_id
inner join cities as city_j on sample_pairs.city_j_id = city_j.city_id
where
    synchronization.cm_growth_official is not null
    or not synchronization.is_study_window and synchronization.cm_newest_growth_official is not null
