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

-- growth from one year to the next within one file, because a step between two files may be a change of vintage
nominal as (
    select
        source_id,
        indicator_id,
        city_id,
        "year",
        100 * ("value" / lag("value") over city_years - 1) as growth_pct
    from observations
    where "value" > 0 and indicator_id in (select limits.growth_of from limits)
    window city_years as (partition by source_id, edition_year, file_name, indicator_id, city_id order by "year")
    qualify lag("year") over city_years = "year" - 1
),

-- a level that stays to the last digit, or leaves the range of growth, is likely to be wrong
compared as (
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
        length(rtrim(split_part(cast(round(observations.value_delivered, 6) as varchar), '.', 2), '0')) >= 2 as is_fine,
        nominal.growth_pct,
        nominal.source_id as level_source_id,
        limits.rate_table_apart,
        case
            when nominal.growth_pct between limits.rate_table_lowest and limits.rate_table_highest and nominal.growth_pct <> 0
                then nominal.growth_pct
        end as likely_pct
    from observations
    inner join limits on observations.indicator_id = limits.indicator_id
    left join nominal
        on
            {{ same_keys('observations', 'nominal', ['city_id', '"year"']) }}
            and limits.growth_of = nominal.indicator_id
)

-- the growth of the level is null if files differ by much, because then it is unknown which one is wrong
select
    * exclude (growth_pct, level_source_id, likely_pct, rate_table_apart),
    arg_min(growth_pct, abs(rate_pct - growth_pct)) as nearest_pct,
    case
        when max(likely_pct) - min(likely_pct) <= any_value(rate_table_apart) then {{ exact_median('likely_pct') }}
    end as level_growth_pct,
    count(likely_pct) filter (where level_source_id <> source_id) > 0 as is_level_of_others
from compared
group by all
