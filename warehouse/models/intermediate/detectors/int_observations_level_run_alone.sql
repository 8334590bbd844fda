-- grain: one row is one value of a run of years at another level than before and after, which nothing but its own series tells of
-- key: observation_id
with spans as (
    select
        trends.*,
        limits.run_returns,
        limits.run_longest,
        {{ above_noise('limits.run_alone', 'limits.run_alone_noise', 'trends.noise') }} as step_at,
        -- the second year on either side, which tells whether the first is the odd one
        lag(trends.residual, 2) over city_years as residual_earlier,
        lead(trends.residual, 2) over city_years as residual_later,
        count(*) over (partition by trends.series_no, trends.city_id) as n_years,
        count(*) filter (where abs(trends.step_before) >= step_at) over city_years as span_no
    from {{ ref('int_trends_cleaned') }} as trends
    inner join {{ ref('int_indicator_limits') }} as limits on trends.indicator_id = limits.indicator_id and limits.run_alone is not null
    window city_years as (partition by trends.series_no, trends.city_id order by trends."year")
),

-- without another source: one large step away, the same step back within a few years, and the level between is not the city's usual one
lone_runs as (
    select
        series_no,
        city_id,
        span_no,
        min("year") as first_year,
        max("year") as last_year,
        arg_min_null(step_before, "year") as step
    from spans
    where span_no > 0
    group by series_no, city_id, span_no
    having
        count(*) between 2 and any_value(run_longest)
        and abs(arg_max_null(step_after, "year")) >= any_value(step_at)
        and abs(arg_max_null(step_after, "year") - step) <= any_value(run_returns) * abs(step)
        and least(
            abs(median(own_offset)),
            abs(arg_min_null(residual - residual_earlier, "year")),
            abs(arg_max_null(residual - residual_later, "year"))
        ) >= abs(step) / 2
        -- one level, not several
        and max(residual) - min(residual) <= any_value(run_returns) * abs(step)
)

select
    spans.observation_id,
    'level_run' as rule,
    'blocked' as grade,
    'expected about ' || {{ short_number('exp(spans.log_value - lone_runs.step)') }} || ' from the years before and after, found '
    || {{ short_number('exp(spans.log_value)') }} || ': another level from ' || lone_runs.first_year || ' to ' || lone_runs.last_year
    || ' that returns, as of another quantity' as detail,
    exp(spans.log_value - lone_runs.step) as proposed_value
from spans
left join lone_runs on {{ same_keys('spans', 'lone_runs', ['series_no', 'city_id', 'span_no']) }}
where spans.observation_id not in {{ observations_where(ref('int_values_corroborated'), 'is_vouched') }}
-- of the same figure in several series the longest one tells, of two as long the later edition
qualify
    lone_runs.span_no is not null
    and arg_max(lone_runs.span_no is not null, (spans.n_years, spans.series_no)) over (
        partition by spans.indicator_id, spans.city_id, spans."year", round(1000 * spans.log_value)
    )
