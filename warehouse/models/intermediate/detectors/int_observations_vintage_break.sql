-- grain: one row is one value with which a source changed from one vintage to another, together with most cities of its province
-- key: observation_id
with steps as (
    select
        *,
        gap - lag(gap) over pair_years as gap_step,
        lead(gap) over pair_years - lag(gap) over pair_years as gap_step_kept,
        log_value - lag(log_value) over pair_years as growth,
        other_log_value - lag(other_log_value) over pair_years as other_growth
    from {{ ref('int_values_compared') }}
    where observation_id in {{ observations_where(ref('int_trends_cleaned')) }}
    window pair_years as (partition by series_no, other_source_id, city_id order by "year")
    qualify "year" - lag("year") over pair_years = 1
),

-- the gap to an independent source changed and stayed, and the source's own growth is the less usual one
checked as (
    select
        steps.*,
        limits.vintage_share,
        limits.vintage_min_cities,
        abs(steps.gap_step) > limits.vintage_step
        and abs(coalesce(steps.gap_step_kept, steps.gap_step)) > limits.vintage_step / 2
        and abs(steps.growth - median(steps.other_growth) over same_year)
        > abs(steps.other_growth - median(steps.other_growth) over same_year) as is_step
    from steps
    inner join {{ ref('int_indicator_limits') }} as limits on steps.indicator_id = limits.indicator_id
    window same_year as (partition by steps.series_no, steps.other_source_id, steps."year")
),

grouped as (
    select
        *,
        count(*) filter (where is_step) over province_year as n_steps,
        count(*) over province_year as n_cities
    from checked
    window province_year as (partition by series_no, other_source_id, province_id, "year")
)

select
    observation_id,
    'vintage' as rule,
    'warned' as grade,
    'expected growth near ' || {{ short_number('100 * other_growth') }} || ' log points as in ' || other_source_id || ', found '
    || {{ short_number('100 * growth') }} || '; so in ' || n_steps || ' of ' || n_cities
    || ' cities of the province: the level passes into another vintage, and growth of this year is not growth' as detail
from grouped
where is_step and n_steps >= vintage_min_cities and n_steps >= vintage_share * n_cities
qualify row_number() over (partition by observation_id order by abs(gap_step) desc, other_source_id asc) = 1
