-- grain: one row is one value of a run of years that another source has a year earlier or later
-- key: observation_id
{% set in_run -%}
    distances."year" between runs.first_year and runs.last_year and distances.own_distance > distances.differs_by
{%- endset -%}

with compared as (
    select * from {{ ref('int_values_compared') }}
),

trends as (
    select
        *,
        -- a run of years that is one year off repeats a figure at its beginning or its end
        coalesce(log_value = lag(log_value) over city_years and "year" = lag("year") over city_years + 1, false) as is_repeated
    from {{ ref('int_trends_delivered') }}
    window city_years as (partition by series_no, city_id order by "year")
),

limits as (
    select
        indicator_id,
        limits['year_offset.equal'] as equal_within,
        limits['year_offset.differs'] as differs_by,
        limits['year_offset.left_share'] as left_share,
        limits['year_offset.min_years'] as min_years,
        limits['year_offset.noise_ratio'] as noise_ratio
    from {{ ref('int_indicator_limits') }}
),

shifts as (
    select unnest([-1, 1]) as k
),

distances as (
    select
        compared.*,
        limits.* exclude (indicator_id),
        shifts.k,
        own.is_repeated,
        witness.is_repeated as is_other_repeated,
        abs(compared.gap) as own_distance,
        abs(compared.log_value - others.log_value) as shifted_distance
    from compared
    inner join limits on compared.indicator_id = limits.indicator_id
    cross join shifts
    inner join trends as own on compared.observation_id = own.observation_id
    inner join trends as witness on compared.other_observation_id = witness.observation_id
    left join trends as others
        on witness.series_no = others.series_no and compared.city_id = others.city_id and compared."year" + shifts.k = others."year"
),

-- a year whose figure hardly differs from the next shows nothing and ends no run. Sources may round or revise in some years: so a figure
-- that is far closer to the neighbouring year belongs to a run without being equal, and one that is only closer to it does not end a run
judged_years as (
    select
        *,
        coalesce(own_distance > differs_by and shifted_distance <= greatest(equal_within, left_share * own_distance), false) as is_offset,
        coalesce(own_distance > differs_by and shifted_distance <= equal_within, false) as is_exact,
        coalesce(greatest(own_distance, shifted_distance) > differs_by and own_distance <= shifted_distance, own_distance <= differs_by)
            as is_contrary
    from distances
),

-- the span of a run lies between two years that contradict the offset
spans as (
    select
        *,
        count_if(is_contrary) over pair_years as span_no
    from judged_years
    window pair_years as (
        partition by series_no, other_source_id, city_id, k order by "year" rows between unbounded preceding and current row
    )
),

in_spans as (
    select * from spans
    where not is_contrary
),

runs as (
    select
        series_no,
        other_source_id,
        city_id,
        k,
        span_no,
        min("year") as span_first,
        max("year") as span_last,
        min("year") filter (where is_offset) as first_year,
        max("year") filter (where is_offset) as last_year,
        any_value(noise_ratio) as noise_ratio
    from in_spans
    group by series_no, other_source_id, city_id, k, span_no
    having count(*) filter (where is_exact) >= any_value(min_years)
),

-- which of two sources is a year off: never the one that most further sources stand nearer to; without a third, the one that repeats a
-- figure at the beginning or end of the run; else the one that leaves the growth of its province by more there
edges as (
    select
        runs.series_no,
        runs.other_source_id,
        runs.city_id,
        runs.k,
        runs.span_no,
        count(distinct distances."year") filter (where distances.is_repeated) as n_repeated,
        count(distinct distances."year") filter (where distances.is_other_repeated) as n_other_repeated,
        list_avg([
            max(abs(distances.step_before)) filter (where distances."year" = runs.first_year),
            max(abs(distances.step_after)) filter (where distances."year" = runs.last_year)
        ]) as own_noise,
        list_avg([
            max(abs(distances.other_step_before)) filter (where distances."year" = runs.first_year),
            max(abs(distances.other_step_after)) filter (where distances."year" = runs.last_year)
        ]) as other_noise,
        count(*) filter (
            where abs(third.gap) < abs(third.other_log_value - distances.other_log_value) and {{ in_run }}
        ) as n_for,
        count(*) filter (
            where abs(third.gap) > abs(third.other_log_value - distances.other_log_value) and {{ in_run }}
        ) as n_against
    from runs
    inner join distances
        on {{ same_pair('runs', 'distances', ['k']) }} and distances."year" between runs.span_first and runs.span_last + 1
    left join compared as third
        on
            distances.observation_id = third.observation_id
            and distances.other_source_id <> third.other_source_id
    group by runs.series_no, runs.other_source_id, runs.city_id, runs.k, runs.span_no
),

graded as (
    select
        runs.*,
        case
            when edges.n_for > edges.n_against then null
            when edges.n_repeated > edges.n_other_repeated then 'blocked'
            when edges.n_repeated < edges.n_other_repeated then null
            else {{ grade_of_the_mover('edges.own_noise', 'edges.other_noise', 'runs.noise_ratio') }}
        end as grade
    from runs
    inner join edges on {{ same_pair('runs', 'edges', ['k', 'span_no']) }}
),

final as (
    select
        compared.observation_id,
        'year_offset' as rule,
        graded.grade,
        'expected the figure of ' || compared."year" || ', ' || {{ short_number('exp(compared.other_log_value)') }} || ' in '
        || compared.other_source_id || ', found ' || {{ short_number('exp(compared.log_value)') }} || ', which that source has for '
        || (compared."year" + graded.k) || ', so from ' || graded.first_year || ' to ' || graded.last_year as detail,
        exp(compared.other_log_value) as proposed_value
    from graded
    inner join compared
        on {{ same_pair('graded', 'compared') }} and compared."year" between graded.first_year and graded.last_year
    where graded.grade is not null
    qualify row_number() over (
        partition by compared.observation_id
        order by graded.grade asc, graded.last_year - graded.first_year desc, compared.other_source_id asc, graded.k asc
    ) = 1
)

select * from final
