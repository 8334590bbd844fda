-- grain: one row is one value that would be current and is not at the level of the values of other sources beside it
-- key: observation_id
with neighbours as (
    select
        residuals.*,
        limits.* exclude (indicator_id),
        lag(residuals.source_id) over city_years as source_before,
        lead(residuals.source_id) over city_years as source_after,
        {% for neighbour, side in [('lag', 'before'), ('lead', 'after')] -%}
            {{ step_from(neighbour, 'residuals.residual', 'residuals."year"', 'city_years', 'limits.trend_max_gap') }} as step_{{ side }},
        {% endfor -%}
        count(*) filter (where residuals.is_passage) over city_years as run_no
    from {{ ref('int_current_residuals') }} as residuals
    inner join {{ ref('int_indicator_limits') }} as limits on residuals.indicator_id = limits.indicator_id
    where residuals.is_first_choice
    window city_years as (partition by residuals.indicator_id, residuals.city_id order by residuals."year")
),

-- the values of one source between those of others: away at the first and back at the last
away as (
    select
        *,
        first_value("year") over run as first_year,
        last_value("year") over run as last_year,
        first_value(source_before) over run as source_in,
        last_value(source_after) over run as source_out,
        first_value(step_before) over run as step_in,
        last_value(step_after) over run as step_out,
        (first_value(residual - step_before) over run + last_value(residual - step_after) over run) / 2 as residual_beside,
        least(abs(step_in), abs(step_out)) >= {{ above_noise('run_differs', 'run_alone_noise', 'noise') }}
        and abs(step_in - step_out) <= run_returns * greatest(abs(step_in), abs(step_out)) as is_other_quantity
    from neighbours
    where run_no > 0
    window run as (partition by indicator_id, city_id, run_no order by "year" rows between unbounded preceding and unbounded following)
    qualify
        count(*) over run <= 6
        and abs({{ away_and_back('step_in', 'step_out') }})
        >= {{ above_noise('least(spike_quarantine, run_differs)', 'spike_quarantine_noise', 'noise') }}
),

-- the sources before and after the run may have a value for the year that was not chosen because a rule quarantined or blocked it. If that
-- value is much nearer to the level of the neighbouring years, a quarantined one is preferred to the run's, and a blocked one clears the
-- run's value: never are both sides blocked
coming_back as (
    select
        away.observation_id,
        'stitched' as rule,
        case when own.observation_id is null then 'blocked' else 'quarantined' end as grade,
        'expected about ' || {{ short_number('exp(away.trend + away.residual_beside)') }} || ' between the values of '
        || away.source_in || ' and ' || away.source_out || ', found ' || {{ short_number('exp(away.log_value)') }}
        || case when own.observation_id is null then ': another quantity or area' else ': another level' end
        || ' than theirs from ' || away.first_year || ' to ' || away.last_year
        || coalesce(', further from it than the ' || {{ short_number('own."value"') }} || ' of ' || own.source_id, '') as detail
    from away
    left join {{ ref('int_current_residuals') }} as own
        on
            {{ same_keys('away', 'own', ['indicator_id', 'city_id', '"year"']) }}
            and own.source_id in (away.source_in, away.source_out)
            and own.quality_flag in ('blocked', 'quarantined')
            and abs(own.residual - away.residual_beside) <= away.stitched_nearer * abs(away.residual - away.residual_beside)
    qualify
        row_number() over (partition by away.observation_id order by own.priority, own.source_id) = 1
        and coalesce(not bool_or(own.quality_flag = 'blocked') over (partition by away.observation_id), away.is_other_quantity)
),

graded_again as (
    select residuals.* replace (coalesce(coming_back.grade, residuals.quality_flag) as quality_flag)
    from {{ ref('int_current_residuals') }} as residuals
    left join coming_back on residuals.observation_id = coming_back.observation_id
),

-- the choice is made again; the passages that remain are those of the current series
second_choices as (
    select * from graded_again
    where quality_flag <> 'blocked'
    qualify row_number() over (partition by city_id, indicator_id, "year" order by {{ order_of_choice('quality_flag') }}) = 1
),

passages as (
    select
        choices.*,
        limits.stitched_apart,
        lag(choices.source_id) over city_years as source_before,
        {{ step_from('lag', 'choices.residual', 'choices."year"', 'city_years', 'limits.trend_max_gap') }} as step_before,
        {{ above_noise('limits.level_break_step', 'limits.run_alone_noise', 'choices.noise') }} as step_at
    from second_choices as choices
    inner join {{ ref('int_indicator_limits') }} as limits on choices.indicator_id = limits.indicator_id
    window city_years as (partition by choices.indicator_id, choices.city_id order by choices."year")
    qualify choices.source_id <> source_before
),

-- the best value of each source that no rule doubts
source_values as (
    select * from {{ ref('int_current_residuals') }}
    where quality_flag not in ('blocked', 'quarantined')
    qualify row_number() over (
        partition by city_id, indicator_id, "year", source_id order by {{ order_of_choice('quality_flag') }}
    ) = 1
)

select
    *,
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
    and passages.observation_id not in (select coming_back.observation_id from coming_back)
