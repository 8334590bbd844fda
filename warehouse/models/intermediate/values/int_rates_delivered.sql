-- grain: one row is one delivered rate of growth of a city, in per cent, with the growth of its level at current prices
-- key: observation_id
with limits as (
    select * from {{ ref('int_indicator_limits') }}
    where growth_of is not null and basis_equal is not null
),

observations as (
    select * from {{ ref('int_observations_corrected') }}
    where place_level = 'city'
),

-- growth from one year to the next within one file, because a step between two files may be a change of vintage. Growth of exactly 0, below
-- -40 or above 60 per cent is unlikely to be real
nominal as (
    select
        indicator_id,
        city_id,
        "year",
        100 * ("value" / lag("value") over city_years - 1) as growth_pct,
        case when growth_pct between -40 and 60 and growth_pct <> 0 then growth_pct end as likely_pct
    from observations
    where "value" > 0 and indicator_id in (select limits.growth_of from limits)
    window city_years as (partition by source_id, edition_year, file_name, indicator_id, city_id order by "year")
    qualify lag("year") over city_years = "year" - 1
),

rates as (
    select
        observations.observation_id,
        observations.source_id,
        observations.edition_year,
        observations.indicator_id,
        coalesce(limits.same_as, limits.indicator_id) as quantity_id,
        limits.growth_of,
        observations.city_id,
        observations."year",
        observations.row_no,
        observations.col_no,
        observations."value",
        100 * ({{ factor_of('observations."value"', 'observations.unit') }} - 1) as rate_pct,
        length(rtrim(split_part(cast(round(observations.value_delivered, 6) as varchar), '.', 2), '0')) >= 2 as is_fine
    from observations
    inner join limits on observations.indicator_id = limits.indicator_id
)

select
    rates.*,
    beside.nearest_pct,
    beside.level_growth_pct
from rates
left join lateral (
    -- null if files differ by over 20 points, because then it is unknown which one is wrong
    select
        arg_min(nominal.growth_pct, abs(rates.rate_pct - nominal.growth_pct)) as nearest_pct,
        case
            when max(nominal.likely_pct) - min(nominal.likely_pct) <= 20 then {{ exact_median('nominal.likely_pct') }}
        end as level_growth_pct
    from nominal
    where rates.growth_of = nominal.indicator_id and rates.city_id = nominal.city_id and rates."year" = nominal."year"
) as beside on true
