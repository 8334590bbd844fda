-- each place, year and indicator has exactly one current value, none if all of them are blocked
with counts as (
    select
        place_level,
        city_id,
        "year",
        indicator_id,
        count(*) filter (where is_current) as n_current,
        count(*) filter (where is_current and quality_flag = 'blocked') as n_blocked_current,
        count(*) filter (where quality_flag <> 'blocked') as n_usable
    from {{ ref('fct_indicator_observation') }}
    group by place_level, city_id, "year", indicator_id
)

select * from counts
where n_current <> least(n_usable, 1) or n_blocked_current > 0
