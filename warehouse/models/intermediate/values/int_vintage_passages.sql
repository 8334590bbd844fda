-- grain: one row is a source, edition, province and year in which the source's nominal product changes its vintage
-- key: source_id, edition_year, province_id, year; edition_year may be null, and null counts as a value
-- the value from which on a source stays in another vintage, and a value of another vintage than the years before and after it
with passages as (
    select
        observation_id,
        0 as n_years_later
    from {{ ref('int_observations_vintage_break') }}
    union all
    select
        observation_id,
        unnest([0, 1]) as n_years_later
    from {{ ref('int_observations_mismatch') }}
    where rule = 'vintage'
)

select distinct
    observations.source_id,
    observations.edition_year,
    observations.city_id // 10000 * 10000 as province_id,
    observations."year" + passages.n_years_later as "year"
from passages
inner join {{ ref('int_observations_corrected') }} as observations on passages.observation_id = observations.observation_id
where observations.indicator_id = 'gdp_nominal_cny_100m'
