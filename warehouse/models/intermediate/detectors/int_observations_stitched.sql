-- grain: one row is one value that would be current next to values of other sources and is not at their level: either of a run of years
-- after which the series returns (blocked, or quarantined if the source next to the run has a value nearer to the level), or the first one
-- after a change (passage) to a source at another level (warned)
-- key: observation_id
{% set choice = 'observation_id, indicator_id, city_id, "year", source_id, log_value, residual' -%}

with grades as (
    select
        observation_id,
        min(grade) as quality_flag
    from {{ ref('int_observations_flagged') }}
    group by observation_id
),

graded as (
    select
        observations.*,
        ln(observations."value") as log_value,
        source_runs.earned_priority,
        source_runs.n_run_years,
        coalesce(grades.quality_flag, 'ok') as quality_flag
    from {{ ref('int_observations_corrected') }} as observations
    inner join {{ ref('int_indicator_limits') }} as limits
        on observations.indicator_id = limits.indicator_id and limits.run_differs is not null and limits.rule_kind <> 'rate'
    left join grades on observations.observation_id = grades.observation_id
    left join {{ ref('int_source_runs') }} as source_runs
        on {{ same_keys('observations', 'source_runs', ['place_level', 'city_id', 'indicator_id', 'source_id', '"year"']) }}
    where observations.place_level = 'city' and observations."value" > 0
),

first_choices as (
    select *
    from graded
    where quality_flag <> 'blocked'
    qualify row_number() over (
        partition by city_id, indicator_id, "year" order by {{ order_of_choice('quality_flag') }}
    ) = 1
),

steps as (
    select
        *,
        log_value - lag(log_value) over city_years as growth,
        "year" - lag("year") over city_years as n_years,
        lag(source_id) over city_years as source_before,
        source_id <> source_before as is_passage
    from first_choices
    window city_years as (partition by indicator_id, city_id order by "year")
),

-- the best value of each source that no rule doubts
source_values as (
    select *
    from graded
    where quality_flag not in ('blocked', 'quarantined')
    qualify row_number() over (
        partition by city_id, indicator_id, "year", source_id order by {{ order_of_choice('quality_flag') }}
    ) = 1
),

-- the usual growth of an indicator comes from steps within one source, because a passage adds the distance of two sources; steps at
-- passages count only in years in which every city changes its source
trends as (
    select
        indicator_id,
        "year",
        coalesce({{ exact_median('case when not is_passage then growth end') }}, {{ exact_median('growth') }}) as usual_growth,
        sum(usual_growth) over (partition by indicator_id order by "year") as trend
    from steps
    where n_years = 1
    group by indicator_id, "year"
),

noises as (
    select
        steps.indicator_id,
        {{ exact_median('abs(steps.growth - trends.usual_growth)') }} as noise
    from steps
    inner join trends on steps.indicator_id = trends.indicator_id and steps."year" = trends."year"
    where steps.n_years = 1 and not steps.is_passage
    group by steps.indicator_id
),

neighbours as (
    select
        steps.*,
        noises.noise,
        coalesce(trends.trend, 0) as trend,
        steps.log_value - coalesce(trends.trend, 0) as residual,
        case when steps.n_years <= limits.trend_max_gap then residual - lag(residual) over city_years end as step_before,
        case
            when lead(steps."year") over city_years - steps."year" <= limits.trend_max_gap then residual - lead(residual) over city_years
        end as step_after,
        lead(steps.source_id) over city_years as source_after,
        count(*) filter (where steps.is_passage) over city_years as run_no
    from steps
    inner join {{ ref('int_indicator_limits') }} as limits on steps.indicator_id = limits.indicator_id
    left join noises on steps.indicator_id = noises.indicator_id
    left join trends on steps.indicator_id = trends.indicator_id and steps."year" = trends."year"
    window city_years as (partition by steps.indicator_id, steps.city_id order by steps."year")
),

-- the values of one source between those of others: away at the first and back at the last
away as (
    select
        neighbours.*,
        limits.stitched_nearer,
        first_value(neighbours."year") over run as first_year,
        last_value(neighbours."year") over run as last_year,
        first_value(source_before) over run as source_in,
        last_value(source_after) over run as source_out,
        first_value(step_before) over run as step_in,
        last_value(step_after) over run as step_out,
        (first_value(residual - step_before) over run + last_value(residual - step_after) over run) / 2 as residual_beside,
        least(abs(step_in), abs(step_out)) >= {{ above_noise('limits.run_differs', 'limits.run_alone_noise', 'noise') }}
        and abs(step_in - step_out) <= limits.run_returns * greatest(abs(step_in), abs(step_out)) as is_other_quantity
    from neighbours
    inner join {{ ref('int_indicator_limits') }} as limits on neighbours.indicator_id = limits.indicator_id
    where run_no > 0
    window
        run as (
            partition by neighbours.indicator_id, city_id, run_no
            order by neighbours."year" rows between unbounded preceding and unbounded following
        )
    qualify
        count(*) over run <= 6
        and step_in * step_out > 0
        and least(abs(step_in), abs(step_out))
        >= {{ above_noise('least(limits.spike_quarantine, limits.run_differs)', 'limits.spike_quarantine_noise', 'noise') }}
),

-- the sources before and after the run may have a value for the year that was not chosen because a rule quarantined or blocked it. If that
-- value is much nearer to the level of the neighbouring years, a quarantined one is preferred to the run's, and a blocked one clears the
-- run's value: never are both sides blocked
coming_back as (
    select
        away.observation_id as away_id,
        case when own.observation_id is null then 'blocked' else 'quarantined' end as grade,
        'expected about ' || {{ short_number('exp(away.trend + away.residual_beside)') }} || ' between the values of '
        || away.source_in || ' and ' || away.source_out || ', found ' || {{ short_number('exp(away.log_value)') }}
        || case when own.observation_id is null then ': another quantity or area' else ': another level' end
        || ' than theirs from ' || away.first_year || ' to ' || away.last_year
        || coalesce(', further from it than the ' || {{ short_number('own."value"') }} || ' of ' || own.source_id, '') as detail
    from away
    left join graded as own
        on
            {{ same_keys('away', 'own', ['indicator_id', 'city_id', '"year"']) }}
            and own.source_id in (away.source_in, away.source_out)
            and own.quality_flag in ('blocked', 'quarantined')
            and abs(own.log_value - away.trend - away.residual_beside) <= away.stitched_nearer * abs(away.residual - away.residual_beside)
    qualify
        row_number() over (partition by away.observation_id order by own.priority, own.source_id) = 1
        and coalesce(not bool_or(own.quality_flag = 'blocked') over (partition by away.observation_id), away.is_other_quantity)
),

graded_again as (
    select
        graded.* exclude (quality_flag),
        graded.log_value - away.trend as residual,
        coalesce(coming_back.grade, graded.quality_flag) as quality_flag
    from graded
    inner join away on {{ same_keys('graded', 'away', ['indicator_id', 'city_id', '"year"']) }}
    left join coming_back on graded.observation_id = coming_back.away_id
    where coalesce(coming_back.grade, graded.quality_flag) <> 'blocked'
),

-- the choice is made again where a value is not at the level of its neighbours; the passages that remain are those of the current series
second_choices as (
    select {{ choice }} from neighbours
    where observation_id not in (select away.observation_id from away)
    union all
    select {{ choice }} from graded_again
    qualify row_number() over (
        partition by city_id, indicator_id, "year" order by {{ order_of_choice('quality_flag') }}
    ) = 1
),

passages as (
    select
        choices.*,
        limits.stitched_apart,
        lag(choices.source_id) over city_years as source_before,
        case
            when choices."year" - lag(choices."year") over city_years <= limits.trend_max_gap
                then choices.residual - lag(choices.residual) over city_years
        end as step_before,
        {{ above_noise('limits.level_break_step', 'limits.run_alone_noise', 'noises.noise') }} as step_at
    from second_choices as choices
    inner join {{ ref('int_indicator_limits') }} as limits on choices.indicator_id = limits.indicator_id
    left join noises on choices.indicator_id = noises.indicator_id
    window city_years as (partition by choices.indicator_id, choices.city_id order by choices."year")
    qualify choices.source_id <> source_before
)

select
    away_id as observation_id,
    'stitched' as rule,
    grade,
    detail,
    cast(null as double) as proposed_value
from coming_back
union all
select
    passages.observation_id,
    'stitched' as rule,
    'warned' as grade,
    case
        when abs(distances.distance) >= passages.stitched_apart
            then
                'expected a value at the level of ' || passages.source_before || ', found ' || {{ short_number('exp(passages.log_value)') }}
                || ': the current series passes to another source here, which has ' || {{ short_number('exp(distances.distance)') }}
                || ' times the value of that one in ' || distances.common_year
        else
            'expected about ' || {{ short_number('exp(passages.log_value - passages.step_before)') }} || ' after the value of '
            || passages.source_before || ', found ' || {{ short_number('exp(passages.log_value)') }}
            || ': the current series passes from one source to another here, and its step is no growth'
    end as detail,
    cast(null as double) as proposed_value
from passages
left join {{ distances_of_passages('passages', 'source_values') }} as distances on passages.observation_id = distances.observation_id
where
    (abs(distances.distance) >= passages.stitched_apart or abs(passages.step_before) >= passages.step_at)
    and passages.observation_id not in (select coming_back.away_id from coming_back)
