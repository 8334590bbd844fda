-- grain: one row is one rate of growth that is not the slip of one file alone
-- key: observation_id
with rates as (
    select
        trends.*,
        limits.growth_of,
        limits.veto_equal,
        limits.veto_same_move,
        count(*) over (partition by trends.indicator_id, trends.city_id, trends."year") = 1 as is_alone,
        case when trends.spike = 0 then coalesce(trends.step_before, trends.step_after) else trends.spike end as leap
    from {{ ref('int_trends_delivered') }} as trends
    inner join {{ ref('int_indicator_limits') }} as limits on trends.indicator_id = limits.indicator_id and limits.growth_of is not null
),

levels as (
    select
        indicator_id,
        city_id,
        "year",
        unnest([false, true]) as is_beside,
        case
            when is_beside then step_before - (lag(step_before) over city_years + lead(step_before) over city_years) / 2
            else step_before
        end as leap
    from {{ ref('int_trends_delivered') }}
    window city_years as (partition by series_no, city_id order by "year")
)

select rates.observation_id
from rates
inner join levels on rates.growth_of = levels.indicator_id and rates.city_id = levels.city_id and rates."year" = levels."year"
where
    levels.leap * rates.leap > 0
    and abs(levels.leap) >= rates.veto_same_move * abs(rates.leap)
    and (rates.is_alone or not levels.is_beside)
union
select rates.observation_id
from rates
inner join rates as others
    on {{ same_keys('rates', 'others', ['indicator_id', 'city_id', '"year"']) }} and rates.source_id <> others.source_id
where abs(rates.log_value - others.log_value) <= rates.veto_equal
