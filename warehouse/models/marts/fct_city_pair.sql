-- grain: one row is an unordered pair of the mart's cities, city_i_id < city_j_id
-- key: city_i_id, city_j_id
{{ config(tags=['pair_grain']) }}
-- the median is that of the pairs that the baseline regression compares: balanced cities, pairs with one pilot and with none together
with medians as (
    select
        {{ exact_median("case when is_balanced and exposure <> 'both' then tie_strength end") }} as median_tie,
        {{ exact_median("case when is_balanced and exposure_calendar_year <> 'both' then tie_strength end") }} as median_tie_calendar_year
    from {{ ref('int_city_pairs') }}
)

select
    pairs.city_i_id,
    pairs.city_j_id,
    pairs.distance_km,
    pairs.tie_strength,
    pairs.tie_four_factor,
    case when pairs.exposure <> 'both' then pairs.tie_strength > medians.median_tie end as is_strong_tie,
    pairs.exposure,
    pairs.cohort_year,
    case
        when pairs.exposure_calendar_year <> 'both' then pairs.tie_strength > medians.median_tie_calendar_year
    end as is_strong_tie_calendar_year,
    pairs.exposure_calendar_year,
    pairs.cohort_year_calendar_year,
    pairs.is_balanced,
    pairs.has_registered_population,
    pairs.province_i_id,
    pairs.province_j_id,
    pairs.province_i_id = pairs.province_j_id as is_same_province,
    pairs.region_pair,
    pairs.concordance_hp
from {{ ref('int_city_pairs') }} as pairs
cross join medians
