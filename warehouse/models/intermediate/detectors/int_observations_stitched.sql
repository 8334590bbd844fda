-- grain: one row is one value that would stand between values of other sources in the series of current values and leaves their level: a
-- run of years that returns (blocked), or a passage from one source to another with a step in it (warned)
-- key: observation_id
with observations as (
    select * from {{ ref('int_observations_corrected') }}
    where place_level = 'city' and "value" > 0
),

grades as (
    select
        observation_id,
        arg_max(grade, grade_rank) as quality_flag
    from {{ ref('int_observations_flagged') }}
    group by observation_id
),

limits as (
    select
        indicator_id,
        limits['run.differs'] as differs_by,
        limits['level_break.step'] as step_at,
        limits['run.alone_noise'] as noise_multiple,
        limits['run.returns'] as returns_within,
        limits['trend.max_gap'] as max_gap
    from {{ ref('int_indicator_limits') }}
    where limits['run.differs'] is not null and rule_kind <> 'rate'
),

graded as (
    select
        observations.*,
        coalesce(grades.quality_flag, 'ok') as quality_flag
    from observations
    left join grades on observations.observation_id = grades.observation_id
),

first_choices as (
    select
        observation_id,
        source_id,
        indicator_id,
        city_id,
        "year",
        ln("value") as log_value
    from graded
    qualify row_number() over (
        partition by city_id, indicator_id, "year" order by {{ order_of_choice('quality_flag') }}
    ) = 1 and quality_flag <> 'blocked'
),

steps as (
    select
        *,
        log_value - lag(log_value) over city_years as growth,
        "year" - lag("year") over city_years as n_years,
        lag(source_id) over city_years as source_before,
        coalesce(source_id <> lag(source_id) over city_years, false) as is_passage
    from first_choices
    window city_years as (partition by indicator_id, city_id order by "year")
),

-- growth within one source is what an indicator does; what a passage adds to it is the distance of two sources
usual_growths as (
    select
        indicator_id,
        "year",
        {{ exact_median('growth') }} as growth
    from steps
    where n_years = 1 and not is_passage
    group by indicator_id, "year"
),

noises as (
    select
        steps.indicator_id,
        {{ exact_median('abs(steps.growth - usual_growths.growth)') }} as noise
    from steps
    inner join usual_growths on steps.indicator_id = usual_growths.indicator_id and steps."year" = usual_growths."year"
    where steps.n_years = 1 and not steps.is_passage
    group by steps.indicator_id
),

trends as (
    select
        indicator_id,
        "year",
        sum(growth) over (partition by indicator_id order by "year") as trend
    from usual_growths
),

detrended as (
    select
        steps.*,
        limits.* exclude (indicator_id),
        noises.noise,
        steps.log_value - coalesce(trends.trend, 0) as residual,
        count(*) filter (where steps.is_passage) over (
            partition by steps.indicator_id, steps.city_id order by steps."year" rows between unbounded preceding and current row
        ) as run_no
    from steps
    inner join limits on steps.indicator_id = limits.indicator_id
    left join noises on steps.indicator_id = noises.indicator_id
    left join trends on steps.indicator_id = trends.indicator_id and steps."year" = trends."year"
),

neighbours as (
    select
        *,
        case when n_years <= max_gap then residual - lag(residual) over city_years end as step_before,
        case when lead("year") over city_years - "year" <= max_gap then residual - lead(residual) over city_years end as step_after,
        lead(source_id) over city_years as source_after
    from detrended
    window city_years as (partition by indicator_id, city_id order by "year")
),

-- the values of one source between those of others: away at the first and back at the last
runs as (
    select
        indicator_id,
        city_id,
        run_no,
        min("year") as first_year,
        max("year") as last_year,
        arg_min_null(source_before, "year") as source_before,
        arg_max_null(source_after, "year") as source_after,
        arg_min_null(step_before, "year") as step_in,
        arg_max_null(step_after, "year") as step_out
    from neighbours
    where run_no > 0
    group by indicator_id, city_id, run_no
    having
        count(*) <= 6
        and arg_min_null(step_before, "year") * arg_max_null(step_after, "year") > 0
        and least(abs(arg_min_null(step_before, "year")), abs(arg_max_null(step_after, "year")))
        >= {{ above_noise('any_value(differs_by)', 'any_value(noise_multiple)', 'any_value(noise)') }}
        and abs(arg_min_null(step_before, "year") - arg_max_null(step_after, "year"))
        <= any_value(returns_within) * greatest(abs(arg_min_null(step_before, "year")), abs(arg_max_null(step_after, "year")))
),

coming_back as (
    select
        neighbours.observation_id,
        'stitched' as rule,
        'blocked' as grade,
        'expected about ' || {{ short_number('exp(neighbours.log_value - runs.step_in)') }} || ' between the values of '
        || runs.source_before || ' and ' || runs.source_after || ', found ' || {{ short_number('exp(neighbours.log_value)') }}
        || ': another quantity or area than theirs from ' || runs.first_year || ' to ' || runs.last_year as detail,
        cast(null as double) as proposed_value
    from neighbours
    inner join runs
        on
            neighbours.indicator_id = runs.indicator_id
            and neighbours.city_id = runs.city_id
            and neighbours.run_no = runs.run_no
),

passing as (
    select
        observation_id,
        'stitched' as rule,
        'warned' as grade,
        'expected about ' || {{ short_number('exp(log_value - step_before)') }} || ' after the value of ' || source_before || ', found '
        || {{ short_number('exp(log_value)') }} || ': the current series passes from one source to another here, and its step is no growth'
            as detail,
        cast(null as double) as proposed_value
    from neighbours
    where is_passage and abs(step_before) >= {{ above_noise('step_at', 'noise_multiple', 'noise') }}
),

final as (
    select * from coming_back
    union all
    select * from passing
    where observation_id not in (select coming_back.observation_id from coming_back)
)

select * from final
