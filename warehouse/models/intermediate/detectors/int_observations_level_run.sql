-- grain: one row is one value of a run of years in which a source is at another level, as a source that kept its level shows
-- key: observation_id
-- deviation: the distance of two sources less their usual one, the median. If they are far apart in most years but agree (is_near) in three
-- or more, the median of these years is the usual one
with distances as (
    select
        compared.*,
        limits.* exclude (indicator_id),
        abs(compared.gap) < limits.run_province as is_near,
        compared.gap - case
            when abs(median(compared.gap) over pair) < limits.run_differs or count(*) filter (where is_near) over pair < 3
                then median(compared.gap) over pair
            else median(compared.gap) filter (where is_near) over pair
        end as deviation
    from {{ ref('int_values_compared') }} as compared
    inner join {{ ref('int_indicator_limits') }} as limits on compared.indicator_id = limits.indicator_id and limits.run_differs is not null
    window pair as (partition by compared.series_no, compared.other_source_id, compared.city_id)
),

-- what most cities of a province do together needs less than what one does alone: no revision moves them away and back
sided as (
    select
        *,
        case
            when
                abs(deviation) >= run_differs
                or (
                    abs(deviation) >= run_province
                    and count(*) filter (where abs(deviation) >= run_province) over same_side
                    >= greatest(run_province_cities, run_province_share * count(*) over province_year)
                )
                then sign(deviation)
            else 0
        end as side
    from distances
    window
        province_year as (partition by series_no, other_source_id, province_id, "year"),
        same_side as (partition by series_no, other_source_id, province_id, "year", sign(deviation))
),

numbered as (
    select
        *,
        row_number() over pair_years
        - row_number() over (partition by series_no, other_source_id, city_id, side order by "year") as run_no,
        lag(deviation) over pair_years as deviation_before,
        lead(deviation) over pair_years as deviation_after
    from sided
    window pair_years as (partition by series_no, other_source_id, city_id order by "year")
),

-- a run is between two years in which the sources have their usual distance, or at an end of the series. Of the two sources, the one that
-- moved is the one with clearly larger steps off its own trend at the ends of the run
runs as (
    select
        series_no,
        other_source_id,
        city_id,
        side,
        run_no,
        min("year") as first_year,
        max("year") as last_year,
        arg_min_null(deviation_before, "year") is null or arg_max_null(deviation_after, "year") is null as is_open
    from numbered
    where side <> 0
    group by series_no, other_source_id, city_id, side, run_no
    having
        coalesce(abs(arg_min_null(deviation_before, "year")), 0) <= any_value(run_returns) * abs(median(deviation))
        and coalesce(abs(arg_max_null(deviation_after, "year")), 0) <= any_value(run_returns) * abs(median(deviation))
        and (not is_open or (count(*) >= 3 and min(abs(gap)) >= any_value(run_differs)))
        and list_avg([abs(arg_min_null(step_before, "year")), abs(arg_max_null(step_after, "year"))])
        > any_value(run_noise_ratio)
        * list_avg([abs(arg_min_null(other_step_before, "year")), abs(arg_max_null(other_step_after, "year"))])
)

select
    found.observation_id,
    'level_run' as rule,
    case when runs.is_open then 'quarantined' else 'blocked' end as grade,
    'expected about ' || {{ short_number('exp(found.log_value - found.deviation)') }} || ', at its usual distance to '
    || found.other_source_id || ', found ' || {{ short_number('exp(found.log_value)') }} || ': another level from ' || runs.first_year
    || ' to ' || runs.last_year
    || case when runs.is_open then ', as of another area' else ' that returns, as of another quantity' end as detail,
    exp(found.log_value - found.deviation) as proposed_value
from numbered as found
inner join runs on {{ same_keys('found', 'runs', ['series_no', 'other_source_id', 'city_id', 'side', 'run_no']) }}
where found.observation_id not in {{ observations_where(ref('int_values_corroborated'), 'is_confirmed') }}
qualify row_number() over (partition by found.observation_id order by runs.is_open, found.other_source_id) = 1
