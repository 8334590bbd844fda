-- grain: one row is one value of a run of years in which a source stands at another level than before and after, as a source that stayed
-- tells: another quantity or coverage for a while
-- key: observation_id
-- how far the two sources stand from where they usually stand to each other
with distances as (
    select
        compared.*,
        limits.* exclude (indicator_id),
        compared.gap - median(compared.gap) over (
            partition by compared.series_no, compared.other_source_id, compared.city_id
        ) as deviation
    from {{ ref('int_values_compared') }} as compared
    inner join {{ ref('int_indicator_limits') }} as limits on compared.indicator_id = limits.indicator_id and limits.run_differs is not null
),

-- what most cities of a province do together needs less than what one does alone: no revision moves them away and back
sided as (
    select
        *,
        case
            when abs(deviation) >= run_differs then sign(deviation)
            when
                deviation >= run_province
                and count(*) filter (where deviation >= run_province) over province_year
                >= greatest(run_province_cities, run_province_share * count(*) over province_year)
                then 1
            when
                deviation <= -run_province
                and count(*) filter (where deviation <= -run_province) over province_year
                >= greatest(run_province_cities, run_province_share * count(*) over province_year)
                then -1
            else 0
        end as side
    from distances
    window province_year as (partition by series_no, other_source_id, province_id, "year")
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

-- a run lies between two years in which the sources stand as usual; the one that left its trend at both ends, and further, has moved
runs as (
    select
        series_no,
        other_source_id,
        city_id,
        side,
        run_no,
        min("year") as first_year,
        max("year") as last_year
    from numbered
    where side <> 0
    group by series_no, other_source_id, city_id, side, run_no
    having
        abs(arg_min_null(deviation_before, "year")) <= any_value(run_returns) * abs(median(deviation))
        and abs(arg_max_null(deviation_after, "year")) <= any_value(run_returns) * abs(median(deviation))
        and list_avg([abs(arg_min_null(step_before, "year")), abs(arg_max_null(step_after, "year"))])
        > any_value(run_noise_ratio)
        * list_avg([abs(arg_min_null(other_step_before, "year")), abs(arg_max_null(other_step_after, "year"))])
)

select
    found.observation_id,
    'level_run' as rule,
    'blocked' as grade,
    'expected about ' || {{ short_number('exp(found.log_value - found.deviation)') }} || ', at its usual distance to '
    || found.other_source_id || ', found ' || {{ short_number('exp(found.log_value)') }} || ': another level from ' || runs.first_year
    || ' to ' || runs.last_year || ' that returns, as of another quantity' as detail,
    exp(found.log_value - found.deviation) as proposed_value
from numbered as found
inner join runs on {{ same_keys('found', 'runs', ['series_no', 'other_source_id', 'city_id', 'side', 'run_no']) }}
left join {{ ref('int_values_corroborated') }} as corroborated on found.observation_id = corroborated.observation_id
where not coalesce(corroborated.is_vouched, false)
qualify row_number() over (partition by found.observation_id order by found.other_source_id) = 1
