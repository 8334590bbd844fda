-- grain: one row is an indicator and a source other than the chosen one, with the share of its values that lie far from the chosen ones
-- key: indicator_id, source_id
with far_apart as (
    select
        indicator_id,
        other_source_id as source_id,
        count(*) filter (where abs(relative_gap) > 0.05) as n_far
    from {{ ref('fct_indicator_conflict') }}
    group by indicator_id, other_source_id
),

compared_years as (
    select distinct
        other.indicator_id,
        other.source_id,
        other.city_id,
        other."year"
    from {{ ref('fct_indicator_observation') }} as other
    inner join {{ ref('fct_indicator_observation') }} as chosen
        on
            other.city_id = chosen.city_id
            and other."year" = chosen."year"
            and other.indicator_id = chosen.indicator_id
            and other.place_level = chosen.place_level
            and other.source_id <> chosen.source_id
    where chosen.is_current
),

compared as (
    select
        indicator_id,
        source_id,
        count(*) as n_compared
    from compared_years
    group by indicator_id, source_id
)

select
    compared.indicator_id,
    compared.source_id,
    compared.n_compared,
    coalesce(far_apart.n_far, 0) / compared.n_compared as far_share
from compared
left join far_apart on compared.indicator_id = far_apart.indicator_id and compared.source_id = far_apart.source_id
order by indicator_id, source_id
