-- grain: one row is one value of a city that may be current, less the usual growth of the series of current values
-- key: observation_id
with values_of_cities as (
    select
        observations.observation_id,
        observations.city_id,
        observations.indicator_id,
        observations."year",
        observations.source_id,
        observations.edition_year,
        observations.file_name,
        observations.row_no,
        observations.col_no,
        observations."value",
        precedence.* exclude (observation_id),
        ln(observations."value") as log_value
    from {{ ref('int_observations_corrected') }} as observations
    inner join {{ ref('int_observations_precedence') }} as precedence on observations.observation_id = precedence.observation_id
    inner join {{ ref('int_indicator_limits') }} as limits
        on observations.indicator_id = limits.indicator_id and limits.run_differs is not null and limits.rule_kind <> 'rate'
    where observations.place_level = 'city' and observations."value" > 0
),

ranked as (
    select
        *,
        quality_flag <> 'blocked' and row_number() over (
            partition by city_id, indicator_id, "year" order by {{ order_of_choice('quality_flag') }}
        ) = 1 as is_first_choice
    from values_of_cities
),

steps as (
    select
        observation_id,
        indicator_id,
        "year",
        log_value - lag(log_value) over city_years as growth,
        "year" - lag("year") over city_years as n_years,
        source_id <> lag(source_id) over city_years as is_passage
    from ranked
    where is_first_choice
    window city_years as (partition by indicator_id, city_id order by "year")
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
)

select
    ranked.*,
    steps.is_passage,
    noises.noise,
    coalesce(trends.trend, 0) as trend,
    ranked.log_value - coalesce(trends.trend, 0) as residual
from ranked
left join steps on ranked.observation_id = steps.observation_id
left join noises on ranked.indicator_id = noises.indicator_id
left join trends on ranked.indicator_id = trends.indicator_id and ranked."year" = trends."year"
